import { readFileSync } from "node:fs";
import { type ResnetName, type ResnetSizes, resnet, resnetSizes } from "@dino/backbones/resnet";
import { backboneCases } from "@dino/backbones/testing";
import { type Params, valueAndGradients } from "@dino/ops";
import { key, random } from "@dino/random";
import {
  type Digest,
  expectNoLeak,
  golden,
  named,
  namedImages,
  namedParameters,
  onEveryBackend,
} from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { expectGolden, type Golden } from "./expect-golden.ts";

interface ResnetGolden {
  readonly salt: string;
  readonly cases: readonly {
    readonly arch: ResnetName;
    readonly size: number;
    readonly params: number;
    readonly shapes: Readonly<Record<string, readonly number[]>>;
    readonly out_eval: Golden;
    readonly out_train: Golden;
    readonly grads: Readonly<Record<string, Golden>>;
    readonly buffers_after: Readonly<Record<string, Golden>>;
  }[];
}

/** What PyTorch computes in double precision for small ones: test/reference/resnet.py. */
interface Figure extends Required<ResnetSizes> {
  readonly pictures: number;
  readonly rows: number;
  readonly columns: number;
  readonly out_eval: Digest;
  readonly out_train: Digest;
  readonly grad_images: Digest;
  readonly grads: Readonly<Record<string, Digest>>;
  readonly buffers: Readonly<Record<string, Digest>>;
}

const { salt, cases } = golden<ResnetGolden>("resnet");
const figures = JSON.parse(
  readFileSync(new URL("reference/resnet.json", import.meta.url), "utf8"),
) as Figure[];

const small: ResnetSizes = { block: "basic", blocks: [1, 1, 1, 1], width: 4 };
const wide: ResnetSizes = { block: "bottleneck", blocks: [1, 1, 1, 1], width: 2 };

test.each(cases)("$arch has the names and shapes of the reference, in its order", (c) => {
  const { parameterShapes, buffers, embedDim } = resnet(c.arch);
  expect(Object.entries(parameterShapes)).toEqual(Object.entries(c.shapes));
  const trained = Object.entries(parameterShapes).filter(([name]) => !buffers.includes(name));
  expect(count(trained.map(([, shape]) => shape))).toBe(c.params);
  expect(embedDim).toBe({ resnet18: 512, resnet50: 2048 }[c.arch as string]);
});

/**
 * How far from a golden a training pass of a full ResNet on two pictures may be. Normalisation over
 * so few values, and ReLUs that tip over, make rounding errors large: PyTorch's own single and double
 * precision are up to 2e-4 apart in the output, 3e-5 in the statistics, and 0.06 in the ends of a
 * gradient (ResNet-50 at 64 pixels). Evaluation, and the small ones below, agree better.
 */
const apart = { output: 1e-3, statistics: 2e-4, gradients: 0.25 };

/**
 * Plain JavaScript and a software GPU take minutes for a ResNet-50, plain JavaScript seconds for a
 * ResNet-18, which is among the tests that take long; the small ones below are for every backend.
 */
function affords(backend: string, arch: ResnetName): boolean {
  if (backend === "cpu") return arch === "resnet18" && process.env.DINO_LONG_TESTS !== undefined;
  return backend !== "webgpu" || arch === "resnet18";
}

onEveryBackend(
  (backend) => {
    const affordable = cases.filter(({ arch }) => affords(backend, arch));

    test.each(affordable)(
      "$arch agrees with the reference at $size pixels",
      {
        timeout: 180_000,
      },
      (c) =>
        inScope(async () => {
          const backbone = resnet(c.arch);
          const params = namedParameters(`${salt}${c.arch}.`, backbone.parameterShapes);
          const images = namedImages(`${salt}${c.arch}.x${c.size}`, [2, 3, c.size, c.size]);
          expectGolden(await read(backbone.forward(params, images)), c.out_eval);

          const probe = named(`${salt}${c.arch}.probe`, [2, backbone.embedDim]);
          const { output, gradients, updates } = trainingPass(backbone, params, images, probe);
          expectGolden(await read(output), c.out_train, apart.output);
          expect(Object.keys(gradients).sort()).toEqual(Object.keys(c.grads).sort());
          for (const [name, expected] of Object.entries(c.grads)) {
            expectGolden(await read(gradients[name]), expected, apart.gradients);
          }
          expect(Object.keys(updates).sort()).toEqual(Object.keys(c.buffers_after).sort());
          for (const [name, expected] of Object.entries(c.buffers_after)) {
            expectGolden(await read(updates[name]), expected, apart.statistics);
          }
        }),
    );

    test.each(figures)("a small one of $block blocks agrees with double precision", (f) =>
      inScope(async () => {
        const { block, blocks, width, pictures, rows, columns } = f;
        const backbone = resnet({ block, blocks, width, pixelGradients: true });
        const params = namedParameters(`${block}.`, backbone.parameterShapes);
        const images = namedImages(`${block}.images`, [pictures, 3, rows, columns]);
        expectGolden(await read(backbone.forward(params, images)), f.out_eval);

        const probe = named(`${block}.probe`, [pictures, backbone.embedDim]);
        const { output, gradients, updates } = trainingPass(backbone, params, images, probe);
        expectGolden(await read(output), f.out_train);
        // PyTorch's own gradients in single precision are 4e-6 off.
        const { images: toImages, ...others } = gradients;
        expectGolden(await read(toImages), f.grad_images, 3e-5);
        expect(Object.keys(others).sort()).toEqual(Object.keys(f.grads).sort());
        for (const [name, expected] of Object.entries(f.grads)) {
          expectGolden(await read(others[name]), expected, 3e-5);
        }
        for (const [name, expected] of Object.entries(f.buffers)) {
          expectGolden(await read(updates[name]), expected);
        }
      }),
    );
  },
  { waits: true },
);

/** Frees what `run` makes, as `tf.tidy` does where nobody waits. */
async function inScope(run: () => Promise<void>): Promise<void> {
  tf.engine().startScope();
  try {
    await run();
  } finally {
    tf.engine().endScope();
  }
}

/** The tensor, whose values have been waited for: a GPU has no other way. */
async function read(x: tf.Tensor | undefined): Promise<tf.Tensor> {
  await x?.data();
  return x as tf.Tensor;
}

onEveryBackend(() => {
  for (const [name, sizes] of Object.entries({ small, wide })) {
    const make = () => resnet(sizes);
    const options = {
      sizes: [
        [40, 40],
        [32, 45],
      ],
      tooSmall: [8, 0],
    } as const;
    for (const { name: does, run } of backboneCases(make, options)) {
      test(`a ${name} ResNet ${does}`, run);
    }
  }

  test("takes a picture of one pixel", () => {
    const params = namedParameters("one.", resnet(small).parameterShapes);
    const y = resnet(small).forward(params, tf.ones([1, 1, 1, 3]));
    expect(y.shape).toEqual([1, 32]);
  });

  test("leaks no tensors", () => {
    const { forward, parameterShapes, init } = resnet(wide);
    const params = namedParameters("leaks.", parameterShapes);
    const images = named<tf.Tensor4D>("pictures", [3, 33, 40, 3]);
    expectNoLeak(() => forward(params, images));
    expectNoLeak(() => forward(params, images, { onBuffers: () => {} }));
    expectNoLeak(() => ({ ...init(random(key(0))) }));
  });

  test("says what does not fit", () => {
    const { forward, init } = resnet(small);
    const params = init(random(key(0)));
    expect(() => forward(params, tf.zeros([1, 8, 8, 1]))).toThrow(
      "images: expected shape [*, *, *, 3], got [1, 8, 8, 1]",
    );
    expect(() => forward(params, tf.zeros([1, 8, 8, 3]), {})).toThrow(
      "x: expected at least 2 rows for batch normalisation in training, got 1",
    );
    const { "layer3.0.bn2.weight": _, ...others } = params;
    expect(() => forward(others, tf.zeros([1, 8, 8, 3]))).toThrow("layer3.0.bn2.weight: expected");
  });
});

test("begins as the reference does", () => {
  const { parameterShapes, init } = resnet({ block: "basic", blocks: [1, 1, 1, 1], width: 16 });
  const params = init(random(key(0)));
  for (const [name, shape] of Object.entries(parameterShapes)) {
    const x = params[name] as tf.Tensor;
    const { mean, variance } = tf.moments(x);
    const [center, spread] = [mean.dataSync()[0] as number, variance.dataSync()[0] as number];
    const [out, , rows, columns] = shape as [number, number, number, number];
    if (shape.length === 4) {
      const share = (spread * out * rows * columns) / 2; // variance 2 / fan-out
      expect(Math.abs(share - 1)).toBeLessThan(5 * Math.sqrt(2 / x.size));
      expect(Math.abs(center)).toBeLessThan(5 * Math.sqrt(spread / x.size));
    } else {
      const isOne = name.endsWith("weight") || name.endsWith("running_var");
      expect([center, spread]).toEqual([isOne ? 1 : 0, 0]);
    }
  }
  expect(params["bn1.num_batches_tracked"]?.dtype).toBe("int32");
});

test.each([
  ["resnet18", 512, 11_176_512],
  ["resnet34", 512, 21_284_672],
  ["resnet50", 2048, 23_508_032],
  ["resnet101", 2048, 42_500_160],
] as const)("%s has features of width %i and %i parameters", (name, width, expected) => {
  const { parameterShapes, buffers, ...backbone } = resnet(name);
  const trained = Object.entries(parameterShapes).filter(([entry]) => !buffers.includes(entry));
  expect(count(trained.map(([, shape]) => shape))).toBe(expected);
  expect(backbone).toMatchObject({ name, embedDim: width, sizes: resnetSizes[name] });
});

test("says how much a picture takes in training", () => {
  const { trainingFloats } = resnet("resnet50");
  // The outputs of 53 convolutions and of their norms, 11.1 million each at 224 pixels.
  expect(trainingFloats(224, 224)).toBeGreaterThan(2 * 11.1e6);
  expect(trainingFloats(448, 448)).toBe(4 * trainingFloats(224, 224));
});

test.each([
  ["resnet18", 20, 1.8136],
  ["resnet34", 36, 3.6636],
  ["resnet50", 53, 4.0872],
  ["resnet101", 104, 7.8],
] as const)(
  "%s has %i convolutions, of %f thousand million products at 224 pixels",
  (name, count, giga) => {
    const sizes = resnet(name).convolutions(224, 224);
    expect(sizes).toHaveLength(count);
    expect(sizes[0]).toEqual({ inputs: 3, outputs: 64, kernel: 7, rows: 112, columns: 112 });
    expect(sizes.at(-1)).toMatchObject({ rows: 7, columns: 7 });
    const products = sizes.reduce(
      (sum, s) => sum + s.inputs * s.outputs * s.kernel ** 2 * s.rows * s.columns,
      0,
    );
    expect(products / 1e9).toBeCloseTo(giga, 2);
  },
);

test("refuses sizes that make no sense", () => {
  const make = (options: object) => () => resnet({ ...small, ...options });
  expect(make({ block: "wide" })).toThrow("block: expected basic or bottleneck, got wide");
  expect(make({ blocks: [1, 2, 0, 1] })).toThrow(
    "blocks: expected four positive integers, got 1, 2, 0, 1",
  );
  expect(make({ blocks: [1, 1] })).toThrow("blocks: expected four positive integers, got 1, 1");
  expect(make({ width: 0.5 })).toThrow("width: expected a positive integer, got 0.5");
  expect(() => resnet("resnet20" as ResnetName)).toThrow(
    "name: expected one of resnet18, resnet34, resnet50, resnet101, got resnet20",
  );
});

/** One pass in training: what comes out, the gradients of sum(out * probe), and the new statistics. */
function trainingPass(
  backbone: ReturnType<typeof resnet>,
  params: Params,
  images: tf.Tensor4D,
  probe: tf.Tensor,
) {
  const fixed = new Set(backbone.buffers);
  const trained = Object.fromEntries(Object.entries(params).filter(([name]) => !fixed.has(name)));
  const updates: Record<string, tf.Tensor> = {};
  let output = tf.scalar(0) as tf.Tensor;
  const onBuffers = (some: Params) => {
    for (const [name, value] of Object.entries(some)) updates[name] = tf.keep(tf.clone(value));
  };
  const { gradients } = valueAndGradients({ ...trained, images }, ({ images: x, ...some }) => {
    const y = backbone.forward({ ...params, ...some }, x as tf.Tensor4D, { onBuffers });
    output = tf.keep(tf.clone(y));
    return tf.sum<tf.Scalar>(tf.mul(y, probe));
  });
  return { output, gradients, updates };
}

function count(shapes: readonly (readonly number[])[]): number {
  return shapes.reduce((sum, shape) => sum + tf.util.sizeFromShape([...shape]), 0);
}
