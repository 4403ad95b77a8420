import { type Backbone, dinoHead, dinoNetwork, type Training } from "@dino/backbones";
import { vit } from "@dino/backbones/vit";
import { type Params, valueAndGradients, within } from "@dino/ops";
import { key, random } from "@dino/random";
import { expectClose, expectNoLeak, named, onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";

const packed = vit({ embedDim: 12, depth: 2, heads: 3, patchSize: 4, imageSize: 16 });
const { forwardCrops: _, ...apart } = packed;
const headOptions = { inputs: 12, prototypes: 7, hidden: 10, bottleneck: 4 };
const head = dinoHead(headOptions);

const crops = () => [
  named<tf.Tensor4D>("globals", [4, 16, 16, 3]),
  named<tf.Tensor4D>("locals", [6, 8, 8, 3]),
  named<tf.Tensor4D>("wide", [2, 8, 16, 3]),
  named<tf.Tensor4D>("more globals", [2, 16, 16, 3]),
];

onEveryBackend(() => {
  test.each([
    ["a backbone that packs sizes", packed as Backbone],
    ["a backbone of one size a pass", apart as Backbone],
  ])("keeps the order of the crops with %s", (_, backbone) => {
    const network = dinoNetwork(backbone, head);
    const params = network.init(random(key(0)));
    const images = crops();
    const y = network.forward(params, images);
    const features = images.map((some) => packed.forward(within(params, "backbone."), some));
    const expected = head.forward(within(params, "head."), tf.concat(features));
    expect(y.shape).toEqual([14, 7]);
    expectClose(y, expected.dataSync());
  });

  test("sends crops of equal rows and columns through the backbone once", () => {
    const seen: number[][] = [];
    const watched: Backbone = {
      ...apart,
      forward: (params, images, mode) => {
        seen.push(images.shape);
        return apart.forward(params, images, mode);
      },
    };
    const network = dinoNetwork(watched, head);
    network.forward(network.init(random(key(0))), crops());
    expect(seen).toEqual([
      [6, 16, 16, 3],
      [6, 8, 8, 3],
      [2, 8, 16, 3],
    ]);
  });

  test("sends gradients through the grouping to every parameter", () => {
    const gradients = [packed, apart as Backbone].map((backbone) => {
      const network = dinoNetwork(backbone, head);
      const params = network.init(random(key(0)));
      const images = crops();
      return valueAndGradients(params, (params) =>
        tf.sum(tf.square(network.forward(params, images))),
      ).gradients;
    }) as [Params, Params];
    expect(Object.keys(gradients[0]).sort()).toEqual(Object.keys(gradients[1]).sort());
    for (const [name, gradient] of Object.entries(gradients[0])) {
      expectClose(gradients[1][name] as tf.Tensor, gradient.dataSync(), 1e-4);
    }
  });

  test("reports running statistics by their whole names, pass after pass", () => {
    const network = dinoNetwork(counting, dinoHead({ ...headOptions, batchNorm: true, layers: 2 }));
    const params = network.init(random(key(0)));
    const reported: Record<string, number> = {};
    network.forward(params, crops(), {
      onBuffers: (updates) => {
        for (const [name, x] of Object.entries(updates)) reported[name] = x.dataSync()[0] as number;
      },
    });
    expect(Object.keys(reported).sort()).toEqual([...network.buffers].sort());
    expect(reported["backbone.passes"]).toBe(3);
  });

  test("tells every pass apart by its key", () => {
    const keys: unknown[] = [];
    const watched: Backbone = {
      ...apart,
      forward: (params, images, mode) => {
        keys.push(mode?.key);
        return apart.forward(params, images, mode);
      },
    };
    const network = dinoNetwork(watched, head);
    const params = network.init(random(key(0)));
    network.forward(params, crops(), { key: key(9) });
    expect(new Set(keys.map(String)).size).toBe(3);
    keys.length = 0;
    network.forward(params, crops());
    expect(keys).toEqual([undefined, undefined, undefined]);
  });

  test("leaks no tensors", () => {
    const images = crops();
    const mode: Training = { key: key(0), onBuffers: () => {} };
    for (const backbone of [packed, apart, counting]) {
      const network = dinoNetwork(backbone, dinoHead({ ...headOptions, batchNorm: true }));
      const params = network.init(random(key(0)));
      expectNoLeak(() => network.forward(params, images, mode));
      expectNoLeak(() => network.forward(params, images));
      expectNoLeak(() => ({ ...network.init(random(key(0))) }));
    }
  });

  test("names the crops that are missing", () => {
    const network = dinoNetwork(packed, head);
    expect(() => network.forward({}, [])).toThrow(
      "crops: expected at least one tensor of crops, got none",
    );
  });
});

test("puts the names of both parts together", () => {
  const network = dinoNetwork(counting, dinoHead({ ...headOptions, batchNorm: true, layers: 2 }));
  const { parameterShapes, frozen, buffers } = network;
  expect(parameterShapes["backbone.cls_token"]).toEqual([1, 1, 12]);
  expect(parameterShapes["head.mlp.0.weight"]).toEqual([10, 12]);
  expect(frozen).toEqual(["backbone.cls_token", "head.last_layer.weight_g"]);
  expect(buffers).toEqual([
    "backbone.passes",
    "head.mlp.1.running_mean",
    "head.mlp.1.running_var",
    "head.mlp.1.num_batches_tracked",
  ]);
});

test("refuses a head of another width", () => {
  expect(() => dinoNetwork(packed, dinoHead({ ...headOptions, inputs: 13 }))).toThrow(
    "head: expected inputs of 12, the width of vit, got 13",
  );
});

/** A backbone that counts its passes in a buffer, and has a token that is not trained. */
const counting: Backbone = {
  ...apart,
  frozen: ["cls_token"],
  buffers: ["passes"],
  parameterShapes: { ...apart.parameterShapes, passes: [] },
  init: (random) => ({ ...apart.init(random), passes: tf.scalar(0) }),
  forward: ({ passes, ...params }, images, mode) =>
    tf.tidy(() => {
      mode?.onBuffers?.({ passes: tf.add(passes as tf.Tensor, 1) });
      return apart.forward(params, images, mode);
    }),
};
