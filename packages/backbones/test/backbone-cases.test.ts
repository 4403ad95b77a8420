import type { Training } from "@dino/backbones";
import { backboneCases } from "@dino/backbones/testing";
import { vit } from "@dino/backbones/vit";
import type { Params } from "@dino/ops";
import { onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";

const make = () =>
  vit({ embedDim: 12, depth: 3, heads: 3, patchSize: 4, imageSize: 16, dropPath: 0.2 });
type Rest = [images: tf.Tensor4D, mode?: Training];
const options = {
  sizes: [
    [16, 16],
    [8, 8],
    [14, 21],
  ],
  tooSmall: [8, 3],
} as const;

onEveryBackend(() => {
  for (const { name, run } of backboneCases(make, options)) test(`a ViT ${name}`, run);
});

onEveryBackend(() => {
  // Each is a backbone that breaks one promise.
  test.each([
    ["makes every parameter", { parameterShapes: { ...make().parameterShapes, more: [1] } }],
    [
      "draws its parameters",
      {
        init: (random: never) => ({
          ...make().init(random),
          cls_token: tf.randomNormal([1, 1, 12]),
        }),
      },
    ],
    ["gives one row", { embedDim: 13 }],
    [
      "sends a gradient",
      {
        forward: (params: Params, ...rest: Rest) =>
          make().forward({ ...params, "norm.bias": tf.zeros([12]) }, ...rest),
      },
    ],
    ["reports the running statistics", { buffers: ["norm.bias"] }],
    ["refuses pictures", { forward: () => tf.zeros([1, 12]) }],
    [
      "evaluates every picture on its own",
      { forward: (_: never, images: tf.Tensor4D) => tf.mean(images, 0) },
    ],
    ["takes crops of all sizes", { forwardCrops: () => tf.zeros([9, 12]) }],
    [
      "leaks",
      {
        forward: (params: Params, ...rest: Rest) => {
          tf.keep(tf.scalar(0));
          return make().forward(params, ...rest);
        },
      },
    ],
  ])("the suite notices one that fails where it %s", (name, broken) => {
    const cases = backboneCases(() => ({ ...make(), ...broken }) as never, options);
    const found = cases.find((one) => one.name.startsWith(name));
    expect(() => found?.run()).toThrow(/expected/);
  });
});
