import { type VitName, vit } from "@dino/backbones/vit";
import { golden, namedImages, namedParameters, startWasm } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { expectGolden, type Golden } from "./expect-golden.ts";

interface FullGolden {
  readonly salt: string;
  readonly cases: readonly {
    readonly arch: VitName;
    readonly patch_size: number;
    readonly size: number;
    readonly params: number;
    readonly out: Golden;
  }[];
}

const { salt, cases } = golden<FullGolden>("vit_full");

// On wasm alone: the plain cpu backend takes minutes for a ViT-B.
beforeAll(async () => {
  const restore = await startWasm();
  return async () => {
    restore();
    await tf.setBackend("cpu");
  };
});

test.each(cases)(
  "$arch with patches of $patch_size agrees with the reference at $size pixels",
  (c) => {
    const backbone = vit(c.arch, { patchSize: c.patch_size });
    const shapes = Object.values(backbone.parameterShapes);
    expect(shapes.reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0)).toBe(c.params);

    const name = `${salt}${c.arch}${c.patch_size}.`;
    tf.tidy(() => {
      const params = namedParameters(name, backbone.parameterShapes);
      const images = namedImages(`${name}x${c.size}`, [1, 3, c.size, c.size]);
      expectGolden(backbone.forward(params, images), c.out);
    });
  },
);

test.each([
  ["tiny", 16, 5_524_416],
  ["tiny", 8, 5_526_720],
  ["small", 16, 21_665_664],
  ["small", 8, 21_670_272],
  ["base", 16, 85_798_656],
  ["base", 8, 85_807_872],
] as const)("%s with patches of %i has %i parameters", (name, patchSize, expected) => {
  const shapes = Object.values(vit(name, { patchSize }).parameterShapes);
  expect(shapes.reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0)).toBe(expected);
});
