import { imagenet, imageTensor } from "@dino/ops";
import { expect, test } from "vitest";
import { expectAgreement } from "./differential.ts";

test("bytes become normalised values, channels last", () => {
  const data = Uint8Array.from({ length: 2 * 1 * 3 * 3 }, (_, i) => (i * 37) % 256);
  const images = imageTensor(data, [2, 1, 3]);
  expect(images.shape).toEqual([2, 1, 3, 3]);
  const expected = Array.from(data, (byte, i) => {
    const channel = i % 3;
    return (byte / 255 - (imagenet.mean[channel] as number)) / (imagenet.std[channel] as number);
  });
  expectAgreement("values", images.dataSync(), expected, 1e-6);
  images.dispose();
});

test("other values normalise them too", () => {
  const normalization = { mean: [0, 0.5, 1], std: [1, 0.5, 0.25] } as const;
  const image = imageTensor(Uint8Array.of(255, 255, 51), [1, 1, 1], normalization);
  expectAgreement("values", image.dataSync(), [1, 1, -3.2], 1e-6);
  image.dispose();
});

test("says how many bytes are missing", () => {
  expect(() => imageTensor(new Uint8Array(8), [1, 1, 3])).toThrow(
    "data: expected 9 bytes for 1 pictures of 1 x 3, got 8",
  );
});
