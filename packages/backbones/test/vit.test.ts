import type { Crops } from "@dino/backbones";
import { type VitName, vit, vitSizes } from "@dino/backbones/vit";
import { type Params, ShapeError, valueAndGradients } from "@dino/ops";
import { key, random } from "@dino/random";
import {
  expectClose,
  expectNoLeak,
  type GoldenArray,
  golden,
  named,
  namedImages,
  namedParameters,
  onEveryBackend,
} from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { positionsFor } from "../src/vit/positions.ts";
import { expectGolden, type Golden } from "./expect-golden.ts";

interface VitGolden {
  readonly salt: string;
  readonly config: Readonly<
    Record<"img_size" | "patch_size" | "embed_dim" | "depth" | "num_heads" | "mlp_ratio", number>
  >;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly cases: readonly {
    readonly h: number;
    readonly w: number;
    readonly out: Golden;
    readonly grad_x: Golden;
    readonly grads: Readonly<Record<string, Golden>>;
    readonly last_selfattention: Golden;
    readonly intermediate_2: readonly Golden[];
    readonly pos: Golden;
  }[];
}

const { salt, config, shapes, cases } = golden<VitGolden>("vit");
const sizes = {
  embedDim: config.embed_dim,
  depth: config.depth,
  heads: config.num_heads,
  patchSize: config.patch_size,
  imageSize: config.img_size,
  mlpRatio: config.mlp_ratio,
};
const reference = vit({ ...sizes, pixelGradients: true });

test("has the names and shapes of the reference, in its order", () => {
  expect(Object.entries(reference.parameterShapes)).toEqual(Object.entries(shapes));
});

onEveryBackend(() => {
  test.each(cases)("agrees with the reference for pictures of $h x $w", (c) => {
    const size = `${c.h}x${c.w}`;
    const params = namedParameters(`${salt}vit.`, reference.parameterShapes);
    const images = namedImages(`${salt}vit.x${size}`, [2, 3, c.h, c.w]);
    expectGolden(reference.forward(params, images), c.out);

    const probe = named(`${salt}vit.probe${size}`, [2, config.embed_dim]);
    const { gradients } = valueAndGradients({ ...params, images }, ({ images, ...params }) =>
      tf.sum(tf.mul(reference.forward(params as Params, images as tf.Tensor4D), probe)),
    );
    const { images: toImages, ...others } = gradients;
    expectGolden(tf.transpose(toImages as tf.Tensor4D, [0, 3, 1, 2]), c.grad_x);
    expect(Object.keys(others).sort()).toEqual(Object.keys(c.grads).sort());
    for (const [name, digest] of Object.entries(c.grads))
      expectGolden(others[name] as tf.Tensor, digest);

    expectGolden(reference.selfAttention(params, images), c.last_selfattention);
    const tokens = reference.intermediateTokens(params, images, { blocks: 2 });
    expect(tokens.length).toBe(2);
    for (const [i, x] of tokens.entries()) expectGolden(x, c.intermediate_2[i] as Golden);
    const extent = { rows: c.h, columns: c.w };
    const positions = positionsFor(params.pos_embed as tf.Tensor3D, extent, config.patch_size);
    expectGolden(tf.expandDims(positions), c.pos);
  });

  test("gives the class token's attention of the reference", () => {
    const { salt, cls_attention } = golden<{ salt: string; cls_attention: GoldenArray }>(
      "attention",
    );
    const params = namedParameters(`${salt}vit.`, reference.parameterShapes);
    const images = namedImages(`${salt}vit.x32x32`, [2, 3, 32, 32]);
    const weights = reference.selfAttention(params, images);
    const [heads, patches] = cls_attention.shape as [number, number];
    const ofFirst = tf.slice(weights, [0, 0, 0, 1], [1, heads, 1, patches]);
    expectClose(tf.reshape(ofFirst, [heads, patches]), cls_attention);
  });

  test.each([
    [
      [2, 16, 16],
      11,
      [
        0.1269821083, -0.2168723049, 1.5487756867, -0.311346861, -1.1190938258, 0.5970539347,
        -1.8139972297, -0.9884804055, 0.84929109, -0.8417767563, 0.4741130182, 1.8820210773,
      ],
    ],
    [
      [1, 8, 8],
      12,
      [
        0.1899638542, -0.1911137088, 1.5203209372, -0.2650944028, -1.1449442937, 0.5044874951,
        -1.8543494139, -1.0060781677, 0.8230544661, -0.8395172005, 0.5327606236, 1.8849925113,
      ],
    ],
    [
      [1, 24, 12],
      13,
      [
        0.1261614804, -0.2071810305, 1.5464283581, -0.3163407178, -1.1110660508, 0.587664453,
        -1.826075252, -0.9817292155, 0.8456476556, -0.8475424511, 0.4882754969, 1.8799270702,
      ],
    ],
  ] as const)(
    "agrees with figures computed in double precision for %j",
    ([n, rows, columns], s, row) => {
      const images = tf.transpose(wave([n, 3, rows, columns], s), [0, 2, 3, 1]) as tf.Tensor4D;
      const y = small.forward(waves(small.parameterShapes), images);
      expectClose(tf.slice(y, 0, 1), row);
    },
  );

  test("gives any block's attention, whose rows sum to 1", () => {
    const params = waves(small.parameterShapes);
    const images = tf.transpose(wave([1, 3, 24, 12], 13), [0, 2, 3, 1]) as tf.Tensor4D;
    const last = small.selfAttention(params, images);
    expect(last.shape).toEqual([1, 3, 19, 19]);
    const row = [0.1849191496, 0.0298434528, 0.0600707442, 0.0311887284, 0.03957441];
    expectClose(tf.slice(last, 0, [1, 1, 1, 5]), row);
    expectClose(small.selfAttention(params, images, { block: 1 }), last.dataSync(), 0);
    const first = small.selfAttention(params, images, { block: 0 });
    for (const [block, all] of [first, last].entries()) {
      const row = small.selfAttention(params, images, { block, classOnly: true });
      expect(row.shape).toEqual([1, 3, 1, 19]);
      expectClose(row, tf.slice(all, 0, [1, 3, 1, 19]).dataSync());
    }
    expectClose(tf.sum(first, 3), Array(3 * 19).fill(1));
    expect(tf.max(tf.abs(tf.sub(first, last))).dataSync()[0]).toBeGreaterThan(1e-3);
  });

  test("drops what does not fill a patch", () => {
    const params = waves(small.parameterShapes);
    const images = named<tf.Tensor4D>("pictures", [2, 11, 14, 3]);
    const whole = tf.slice(images, 0, [2, 8, 12, 3]);
    expectClose(small.forward(params, images), small.forward(params, whole).dataSync(), 0);
  });

  test.each([1, 2])("computes the class token alone of the last of %i blocks", (depth) => {
    const backbone = vit({ ...sizes, depth });
    const params = waves(backbone.parameterShapes);
    const images = named<tf.Tensor4D>("pictures", [3, 16, 24, 3]);
    const [all] = backbone.intermediateTokens(params, images, { blocks: 1 }) as [tf.Tensor3D];
    const first = tf.reshape(tf.slice(all, 0, [3, 1, sizes.embedDim]), [3, sizes.embedDim]);
    expectClose(backbone.forward(params, images), first.dataSync());
  });

  test("packs crops of several sizes, gradients included", () => {
    const params = waves(small.parameterShapes);
    const crops = [
      named<tf.Tensor4D>("globals", [4, 16, 16, 3]),
      named<tf.Tensor4D>("locals", [6, 8, 8, 3]),
    ];
    const loss = (forward: (params: Params) => tf.Tensor) =>
      valueAndGradients(params, (params) => tf.sum(tf.square(tf.add(forward(params), 1))))
        .gradients;
    const packed = loss((params) => small.forwardCrops(params, crops));
    const apart = loss((params) => tf.concat(crops.map((images) => small.forward(params, images))));
    for (const [name, gradient] of Object.entries(apart)) {
      // Sums of other lengths, in another order: TensorFlow's products are 2e-5 apart.
      expectClose(packed[name] as tf.Tensor, gradient.dataSync(), 3e-5);
    }
  });

  test("drops whole branches in training, at the rate asked for", () => {
    // The second block's branches are dropped always but once in a thousand times: what is left
    // is the first block, which drops nothing.
    const dropping = vit({ ...smallSizes, dropPath: 0.999 });
    const params = waves(small.parameterShapes);
    const images = named<tf.Tensor4D>("pictures", [3, 16, 16, 3]);
    const trained = dropping.forward(params, images, { key: key(1) });
    const [tokens] = vit({ ...smallSizes, depth: 1 }).intermediateTokens(params, images, {
      blocks: 1,
    });
    expectClose(trained, tf.slice(tokens as tf.Tensor3D, 0, [3, 1, 12]).dataSync());
    expectClose(dropping.forward(params, images, {}), small.forward(params, images).dataSync(), 0);
  });

  test("drops the same branches of a batch in parts as of the whole", () => {
    const dropping = vit({ ...smallSizes, dropPath: 0.5 });
    const params = waves(small.parameterShapes);
    const batch = 4;
    const crops = [
      named<tf.Tensor4D>("globals", [2 * batch, 16, 16, 3]),
      named<tf.Tensor4D>("locals", [3 * batch, 8, 8, 3]),
    ];
    const whole = dropping.forwardCrops(params, crops, { key: key(2) });
    const other = dropping.forwardCrops(params, crops, { key: key(3) });
    expect(tf.max(tf.abs(tf.sub(whole, other))).dataSync()[0]).toBeGreaterThan(1e-3);

    const dim = small.embedDim;
    const views = tf.reshape(whole, [5, batch, dim]);
    for (const [first, count] of [
      [0, 1],
      [1, 3],
    ] as const) {
      const part = dropping.forwardCrops(params, partOf(crops, batch, first, count), {
        key: key(2),
        part: { first, count, batch },
      });
      const expected = tf.slice(views, [0, first, 0], [5, count, dim]);
      expectClose(part, expected.dataSync());
    }
  });

  test("leaks no tensors", () => {
    const params = waves(small.parameterShapes);
    const images = named<tf.Tensor4D>("pictures", [2, 8, 12, 3]);
    const dropping = vit({ ...smallSizes, dropPath: 0.5 });
    expectNoLeak(() => dropping.forwardCrops(params, [images, images], { key: key(0) }));
    expectNoLeak(() => small.intermediateTokens(params, images, { blocks: 2 }));
    expectNoLeak(() => small.selfAttention(params, images));
    expectNoLeak(() => small.selfAttention(params, images, { classOnly: true }));
    expectNoLeak(() => ({ ...small.init(random(key(0))) }));
  });

  test("names the picture that is smaller than a patch", () => {
    const params = waves(small.parameterShapes);
    const narrow = tf.zeros<tf.Rank.R4>([1, 16, 3, 3]);
    expect(() => small.forward(params, narrow)).toThrow(
      new ShapeError("images: expected at least 4 x 4 pixels, one patch, got 16 x 3"),
    );
    const grey = tf.zeros<tf.Rank.R4>([1, 16, 16, 1]);
    expect(() => small.forward(params, grey)).toThrow(
      "images: expected shape [*, *, *, 3], got [1, 16, 16, 1]",
    );
  });

  test("refuses positions that are no square grid", () => {
    const params = { ...waves(small.parameterShapes), pos_embed: tf.zeros([1, 13, 12]) };
    expect(() => small.forward(params, tf.zeros([1, 16, 16, 3]))).toThrow(
      "pos_embed: expected a square grid of positions, got 12",
    );
  });
});

test("begins as the reference does", () => {
  const { parameterShapes, init } = vit({
    embedDim: 64,
    depth: 2,
    heads: 2,
    patchSize: 8,
    imageSize: 64,
  });
  const params = init(random(key(0)));
  for (const [name, shape] of Object.entries(parameterShapes)) {
    const x = params[name] as tf.Tensor;
    expect(x.shape).toEqual(shape);
    const { mean, variance } = tf.moments(x);
    const [center, std] = [
      mean.dataSync()[0] as number,
      Math.sqrt(variance.dataSync()[0] as number),
    ];
    if (name.startsWith("patch_embed.")) {
      const bound = 1 / Math.sqrt(3 * 8 * 8);
      expect(tf.max(tf.abs(x)).dataSync()[0]).toBeLessThanOrEqual(bound);
      expect(std).toBeCloseTo(bound / Math.sqrt(3), 2);
    } else if (shape.length > 1) {
      expect(Math.abs(center)).toBeLessThan(0.01);
      expect(std).toBeGreaterThan(0.02 * (1 - 3 / Math.sqrt(x.size)));
      expect(std).toBeLessThan(0.02 * (1 + 3 / Math.sqrt(x.size)));
    } else {
      expect([center, std]).toEqual([name.endsWith("weight") ? 1 : 0, 0]);
    }
  }
});

test.each([
  ["tiny", "vit_tiny"],
  ["deit_tiny", "vit_tiny"],
  ["deit_small", "vit_small"],
  ["vit_base", "vit_base"],
] as const)("knows %s", (name, expected) => {
  const backbone = vit(name, { patchSize: 8 });
  expect(backbone.name).toBe(expected);
  const size = expected.replace("vit_", "") as keyof typeof vitSizes;
  expect(backbone).toMatchObject({ ...vitSizes[size], patchSize: 8, imageSize: 224 });
});

test("is patch size 16 and pictures of 224 pixels unless told otherwise", () => {
  expect(vit("small")).toMatchObject({ patchSize: 16, imageSize: 224, embedDim: 384 });
  expect(vit("small").parameterShapes.pos_embed).toEqual([1, 197, 384]);
});

test("says how much a picture takes in training", () => {
  const { trainingFloats } = vit("small");
  expect(trainingFloats(224, 224)).toBeGreaterThan(197 * 384 * 12 * 12);
  expect(trainingFloats(96, 96)).toBeLessThan(trainingFloats(224, 224) / 4);
});

test("refuses options that make no sense", () => {
  const make = (options: object) => () => vit({ embedDim: 12, depth: 2, heads: 3, ...options });
  expect(make({ heads: 5 })).toThrow(
    new RangeError("embedDim: expected a multiple of 5 heads, got 12"),
  );
  expect(make({ depth: 0 })).toThrow("depth: expected a positive integer, got 0");
  expect(make({ imageSize: [224, 160] })).toThrow(
    "imageSize: expected a positive integer, got 224,160",
  );
  expect(make({ imageSize: 8 })).toThrow("imageSize: expected at least a patch of 16, got 8");
  expect(make({ dropPath: 1 })).toThrow("dropPath: expected from 0 to below 1, got 1");
  expect(make({ mlpRatio: 0 })).toThrow("mlpRatio: expected above 0, got 0");
  expect(() => vit("huge" as VitName)).toThrow(
    "name: expected one of tiny, small, base, or vit_ or deit_ before it, got huge",
  );
  const images = tf.zeros<tf.Rank.R4>([1, 16, 16, 3]);
  expect(() => small.intermediateTokens({}, images, { blocks: 3 })).toThrow(
    "blocks: expected an integer from 1 to 2, got 3",
  );
  expect(() => small.selfAttention({}, images, { block: 2 })).toThrow(
    "block: expected an integer from 0 to 1, got 2",
  );
});

const smallSizes = { embedDim: 12, depth: 2, heads: 3, patchSize: 4, imageSize: 16 };
const small = vit(smallSizes);

/** The j-th parameter is a wave of its own, norms' weights about 1. */
function waves(shapes: Readonly<Record<string, readonly number[]>>): Params {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape], j) => [
      name,
      wave(shape, j, 0.2, /norm\d?\.weight$/.test(name) ? 1 : 0),
    ]),
  );
}

/** Element i is amplitude * sin(0.7 i + 1.3 s) + offset. */
function wave(shape: readonly number[], s: number, amplitude = 1, offset = 0): tf.Tensor {
  const length = tf.util.sizeFromShape([...shape]);
  const values = Array.from({ length }, (_, i) => amplitude * Math.sin(0.7 * i + 1.3 * s) + offset);
  return tf.tensor(values, [...shape]);
}

/** The crops of pictures `first` to `first + count - 1`. */
function partOf(crops: Crops, batch: number, first: number, count: number): Crops {
  return crops.map((images) => {
    const [rows, ...shape] = images.shape;
    const apart = tf.reshape(images, [rows / batch, batch, -1]);
    const some = tf.slice(apart, [0, first, 0], [-1, count, -1]);
    return tf.reshape(some, [-1, ...shape]) as tf.Tensor4D;
  });
}
