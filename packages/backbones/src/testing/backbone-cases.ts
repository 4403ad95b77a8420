import { type Params, valueAndGradients } from "@dino/ops";
import { key, random } from "@dino/random";
import * as tf from "@tensorflow/tfjs-core";
import type { Backbone } from "../backbone.ts";
import { assert, assertSame, difference } from "./assert.ts";

export interface BackboneCaseOptions {
  /** Sizes of pictures that the backbone must take, `[rows, columns]` in pixels, at least two. */
  readonly sizes?: readonly (readonly [rows: number, columns: number])[];
  /** A size that it must refuse. */
  readonly tooSmall?: readonly [rows: number, columns: number];
  /** How far apart the same features may be by two ways, relative to the largest. */
  readonly tolerance?: number;
}

/** One thing that a backbone must do. `run` throws where it does not. */
export interface BackboneCase {
  readonly name: string;
  run(): void;
}

type Size = readonly [rows: number, columns: number];

/**
 * What every backbone must do, as cases for any test runner: `for (const { name, run } of
 * backboneCases(make)) test(name, run)`. Runs on the active backend.
 */
export function backboneCases(
  make: () => Backbone,
  {
    sizes = [
      [32, 32],
      [16, 16],
    ],
    tooSmall,
    tolerance = 1e-5,
  }: BackboneCaseOptions = {},
): readonly BackboneCase[] {
  const clean = (name: string, run: () => void): BackboneCase => ({
    name,
    run: () => tf.tidy(run),
  });
  const first = sizes[0] as Size;

  const cases = [
    clean("makes every parameter by its name and shape, and nothing else", () => {
      const { parameterShapes, init } = make();
      const params = init(random(key(0)));
      assertSame("names", Object.keys(params).sort(), Object.keys(parameterShapes).sort());
      for (const [name, shape] of Object.entries(parameterShapes)) {
        assertSame(name, params[name]?.shape, shape);
        assert(finite(params[name] as tf.Tensor), `${name}: expected finite values`);
      }
    }),

    clean("draws its parameters from the seed alone", () => {
      const [one, same, other] = [1, 1, 2].map((seed) =>
        make().init(random(key(seed))),
      ) as Params[];
      const unlike = (a: Params, b: Params) =>
        Object.keys(a).filter((name) => difference(a[name] as tf.Tensor, b[name] as tf.Tensor) > 0);
      assertSame(
        "parameters of equal seeds that differ",
        unlike(one as Params, same as Params),
        [],
      );
      assert(unlike(one as Params, other as Params).length > 0, "seeds: expected other parameters");
    }),

    clean("gives one row of features a picture, at every size", () => {
      const backbone = make();
      const params = backbone.init(random(key(0)));
      for (const size of sizes) {
        const y = backbone.forward(params, pictures(2, size));
        assertSame(`features of ${size.join(" x ")}`, y.shape, [2, backbone.embedDim]);
        assert(finite(y), `features of ${size.join(" x ")}: expected finite values`);
      }
    }),

    clean("evaluates the same pictures to the same features, bit for bit", () => {
      const backbone = make();
      const params = backbone.init(random(key(0)));
      const images = pictures(2, first);
      const once = backbone.forward(params, images);
      assertSame("difference", difference(once, backbone.forward(params, images)), 0);
    }),

    clean("evaluates every picture on its own", () => {
      const backbone = make();
      const params = backbone.init(random(key(0)));
      const images = pictures(3, first);
      const together = backbone.forward(params, images);
      const apart = tf.concat(
        (tf.split(images, 3) as tf.Tensor4D[]).map((image) => backbone.forward(params, image)),
      );
      assertNear("features", apart, together, tolerance);
    }),

    clean("trains the same way for the same key", () => {
      const backbone = make();
      const params = backbone.init(random(key(0)));
      const images = pictures(3, first);
      const run = () => backbone.forward(params, images, { key: key(5) });
      assertSame("difference", difference(run(), run()), 0);
    }),

    clean("sends a gradient to every parameter that is trained", () => {
      const backbone = make();
      const { gradients } = differentiated(backbone, first);
      const trained = Object.keys(trainedParams(backbone, backbone.parameterShapes));
      assertSame("names", Object.keys(gradients).sort(), trained.sort());
      for (const [name, gradient] of Object.entries(gradients)) {
        assertSame(name, gradient.shape, backbone.parameterShapes[name]);
        const size = tf.max(tf.abs(gradient)).dataSync()[0] as number;
        assert(size > 0 && Number.isFinite(size), `${name}: expected a gradient, got ${size}`);
      }
    }),

    clean("reports the running statistics that it has, and no others", () => {
      const backbone = make();
      const params = backbone.init(random(key(0)));
      const reported = new Set<string>();
      const onBuffers = (updates: Params) => {
        for (const [name, value] of Object.entries(updates)) {
          reported.add(name);
          assertSame(name, value.shape, backbone.parameterShapes[name]);
        }
      };
      backbone.forward(params, pictures(3, first), { onBuffers });
      assertSame("names", [...reported].sort(), [...(backbone.buffers ?? [])].sort());
    }),

    clean("leaks no tensors", () => {
      const backbone = make();
      differentiated(backbone, first); // registers kernels
      const before = tf.memory().numTensors;
      const params = backbone.init(random(key(0)));
      tf.dispose([
        params,
        backbone.forward(params, pictures(2, first)),
        differentiated(backbone, first),
      ]);
      // Pictures are made here and are not the backbone's.
      assertSame("tensors left behind", tf.memory().numTensors - before, 2);
    }),
  ];

  if (make().forwardCrops) {
    cases.push(
      clean("takes crops of all sizes in one pass to the features of each", () => {
        const backbone = make();
        const params = backbone.init(random(key(0)));
        const crops = sizes.map((size, i) => pictures(2 + i, size));
        const together = backbone.forwardCrops?.(params, crops) as tf.Tensor2D;
        const apart = tf.concat(crops.map((images) => backbone.forward(params, images)));
        assertNear("features", together, apart, tolerance);
      }),
    );
  }

  if (tooSmall) {
    cases.push(
      clean("refuses pictures that are too small, by their size", () => {
        const backbone = make();
        const params = backbone.init(random(key(0)));
        const size = tooSmall.join(" x ");
        let message = "";
        try {
          backbone.forward(params, pictures(1, tooSmall));
        } catch (error) {
          message = (error as Error).message;
        }
        const names = message.startsWith("images: ") && message.includes(size);
        assert(names, `error: expected one about images of ${size}, got ${message || "none"}`);
      }),
    );
  }
  return cases;
}

/** The value and gradients of a sum in which every feature counts differently. */
function differentiated(backbone: Backbone, size: Size) {
  const all = backbone.init(random(key(0)));
  const trained = trainedParams(backbone, all);
  const images = pictures(3, size);
  const result = valueAndGradients(trained, (params) => {
    const y = backbone.forward({ ...all, ...params }, images, { key: key(3) });
    const probe = tf.reshape(tf.cos(tf.range(0, y.size)), y.shape);
    return tf.sum<tf.Scalar>(tf.mul(y, probe));
  });
  tf.dispose(all);
  return result;
}

function trainedParams<T>(
  { frozen = [], buffers = [] }: Backbone,
  entries: Readonly<Record<string, T>>,
): Record<string, T> {
  const fixed = new Set([...frozen, ...buffers]);
  return Object.fromEntries(Object.entries(entries).filter(([name]) => !fixed.has(name)));
}

function pictures(count: number, [rows, columns]: Size): tf.Tensor4D {
  const stream = random(key(7));
  const values = Float32Array.from({ length: 3 * count * rows * columns }, () => stream.normal());
  return tf.tensor4d(values, [count, rows, columns, 3]);
}

function finite(x: tf.Tensor): boolean {
  return Array.from(x.dataSync()).every(Number.isFinite);
}

function assertNear(name: string, a: tf.Tensor, b: tf.Tensor, tolerance: number): void {
  const apart = difference(a, b);
  assert(apart <= tolerance, `${name}: expected within ${tolerance} of each other, got ${apart}`);
}
