import { attentionBlock, linear, mlpBlock, type Params, valueAndGradients } from "@dino/ops";
import { golden, named, onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, expect, test } from "vitest";
import { blockShapes, differences } from "../../ops/test/every-operation.ts";
import { cropsAt, type Run, type Trajectory, trainerOf } from "../../trainer/test/golden-runs.ts";
import type { DinoWebGPUBackend } from "../src/webgpu-backend.ts";

const run = golden<Trajectory>("trajectory").runs[0] as Run;

const rows = 14;
const hidden = (dim: number) => 4 * dim + (dim % 2);

/** Both halves of a block of so many columns, with 3 heads: value and gradients. */
async function block(dim: number) {
  const params: Params = Object.fromEntries(
    Object.entries(blockShapes(dim, hidden(dim))).map(([name, shape]) => [
      name,
      named(name, shape),
    ]),
  );
  const segments = [{ sequences: 2, tokens: 7 }];
  const x = named<tf.Tensor2D>("x", [rows, dim]);
  let keptBytes = 0;
  const { value, gradients } = valueAndGradients({ ...params, x }, ({ x, ...p }) => {
    const before = tf.memory().numBytes;
    const y = mlpBlock(p, attentionBlock(p, x as tf.Tensor2D, { heads: 3, segments }), {
      segments,
    });
    keptBytes = tf.memory().numBytes - before;
    return tf.mean<tf.Scalar>(tf.square(y));
  });
  const found = new Map<string, Float32Array>();
  for (const [name, tensor] of Object.entries({ ...gradients, value })) {
    found.set(name, Float32Array.from(await tensor.data()));
  }
  tf.dispose([params, x, value, gradients]);
  return { found, keptBytes };
}

onEveryBackend(
  () => {
    const inHalves = async <T>(compute: () => Promise<T>): Promise<T> => {
      (tf.backend() as DinoWebGPUBackend).precision = "f16";
      return compute();
    };
    afterEach(() => {
      (tf.backend() as DinoWebGPUBackend).precision = "fp32";
    });

    test.each([
      ["even", 18],
      ["odd", 15],
    ])("a block whose heads are of an %s width too", async (_, dim) => {
      const exact = await block(dim);
      const rounded = await inHalves(() => block(dim));
      for (const [name, difference] of differences(exact.found, rounded.found)) {
        expect(difference, name).toBeLessThan(5e-3);
      }
      // Queries, keys, values, what attention makes of them and the hidden layer, in half the bytes;
      // but rows and heads of an odd width, for halves are written two at a time.
      const halves = dim % 2 === 0 ? rows * (3 * dim + dim + hidden(dim)) : 0;
      expect(exact.keptBytes - rounded.keptBytes).toBe(2 * halves);
    });

    test("what is too large for a half is the largest one", async () => {
      const product = (x: number) =>
        inHalves(
          async () => (await linear(tf.tensor2d([[x]]), tf.ones([1, 1]), tf.zeros([1])).data())[0],
        );
      expect(await product(1e6)).toBe(65504);
      expect(await product(-1e6)).toBe(-65504);
    });

    test("a training run begins as the reference's, and leaks nothing", async () => {
      const before = tf.memory().numTensors;
      await inHalves(async () => {
        const trainer = trainerOf(run);
        trainer.train(cropsAt(0, run));
        const off = (await trainer.metrics()).loss / (run.steps[0]?.loss ?? 0) - 1;
        expect(Math.abs(off)).toBeLessThan(1e-3);
        expect(Math.abs(off)).toBeGreaterThan(1e-6); // it does round
        trainer.dispose();
      });
      expect(tf.memory().numTensors).toBe(before);
    });
  },
  { waits: true },
);
