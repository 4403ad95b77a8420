import { vit } from "@dino/backbones/vit";
import { imageTensor } from "@dino/ops";
import { expectClose, namedParameters, onEveryBackend } from "@dino/testing";
import { expect, test } from "vitest";
import { figures, madePicture, tinySizes } from "./made.ts";

test("makes the pictures that the figures are of", () => {
  const { data } = madePicture(31, 17, 5, 2);
  const sum = data.reduce((sum, byte, i) => sum + byte * (i % 97), 0);
  expect(sum).toBe(figures.picture);
});

onEveryBackend(() => {
  test("has PyTorch's features of one of them", () => {
    const backbone = vit(tinySizes);
    const params = namedParameters("tiny.", backbone.parameterShapes);
    const image = imageTensor(madePicture(32, 32, 1, 0).data, [1, 32, 32]);
    expectClose(backbone.forward(params, image), figures.feature, 1e-5);
  });
});
