import * as tf from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import { addon } from "../../src/addon.ts";
import { registerNativeBackend } from "../../src/register.ts";

/** An array to give to a kernel. */
export interface Given {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
  readonly dtype?: "float32" | "int32" | "bool";
}

/** What a kernel gave. */
export interface Got {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly values: readonly number[];
}

export interface Options {
  readonly attributes?: object;
  /** How far off an element may be, as a share of the largest one, or of 1 if all are smaller. */
  readonly tolerance?: number;
}

/** Uniform numbers from -1 to 1, the same for the same seed (the generator is "mulberry32"). */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

/** An array of uniform numbers from `-scale` to `scale`. */
export function random(shape: readonly number[], seed: number, scale = 1): Given {
  const next = uniform(seed);
  const values = Float32Array.from({ length: sizeOf(shape) }, () => scale * next());
  return { shape, values };
}

/** The same with numbers in between that are none, are infinite, are zeros, or are the same. */
export function odd(shape: readonly number[], seed: number): Given {
  const next = uniform(seed);
  const some = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 1, -1, 0.5];
  const pick = () => some[Math.floor((next() + 1) * 4)] ?? 0;
  const values = Float32Array.from({ length: sizeOf(shape) }, () =>
    next() < 0 ? pick() : 3 * next(),
  );
  return { shape, values };
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

type Inputs = Readonly<Record<string, Given>> | readonly Given[];

/** What the kernel gives on a backend. */
export function run(
  backend: "cpu" | "native",
  kernel: string,
  inputs: Inputs,
  attributes: object = {},
): Got[] {
  if (backend === "native") registerNativeBackend();
  if (!tf.setBackend(backend)) throw new Error(`no backend ${backend}`);
  return tf.tidy(() => {
    const make = ({ shape, values, dtype = "float32" }: Given) =>
      tf.tensor(Float32Array.from(values), [...shape], "float32").cast(dtype);
    const tensors = Array.isArray(inputs)
      ? inputs.map(make)
      : Object.fromEntries(Object.entries(inputs).map(([name, given]) => [name, make(given)]));
    const before = tf.memory().numTensors;
    const result = tf
      .engine()
      .runKernel(kernel, tensors as tf.NamedTensorMap, attributes as tf.NamedAttrMap);
    const outputs = [result as tf.Tensor | tf.Tensor[]].flat();
    expect(tf.memory().numTensors).toBe(before + outputs.length);
    return outputs.map((tensor) => ({
      shape: tensor.shape,
      dtype: tensor.dtype,
      values: [...tensor.dataSync()],
    }));
  });
}

/** Best first. */
const allInstructions = ["AVX-512", "AVX2", "portable"] as const;

/**
 * Fails unless the kernel gives on `native`, on any number of threads and with all instructions
 * that there are, what it gives on `cpu`.
 */
export function expectAgreement(
  kernel: string,
  inputs: Inputs,
  { attributes = {}, tolerance = 1e-6 }: Options = {},
): void {
  expectResults(kernel, inputs, run("cpu", kernel, inputs, attributes), { attributes, tolerance });
}

/** The same where it is known what the kernel should give. */
export function expectResults(
  kernel: string,
  inputs: Inputs,
  expected: readonly Got[],
  { attributes = {}, tolerance = 1e-6 }: Options = {},
): void {
  const { threads, instructions } = addon().describeMachine();
  try {
    addon().configureMachine(1);
    const got = run("native", kernel, inputs, attributes);
    expect(got.map(({ shape, dtype }) => ({ shape, dtype }))).toEqual(
      expected.map(({ shape, dtype }) => ({ shape: [...shape], dtype })),
    );
    got.forEach(({ values }, i) => {
      expectNear(values, expected[i]?.values ?? [], tolerance);
    });
    for (const more of [2, 3]) {
      addon().configureMachine(more);
      expect(run("native", kernel, inputs, attributes)).toEqual(got);
    }
    for (const lesser of allInstructions.slice(1 + allInstructions.indexOf(instructions))) {
      addon().configureMachine(2, lesser);
      run("native", kernel, inputs, attributes).forEach(({ values }, i) => {
        expectNear(values, expected[i]?.values ?? [], tolerance);
      });
    }
  } finally {
    addon().configureMachine(threads);
  }
}

function expectNear(got: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(got.length).toBe(expected.length);
  const finite = expected.filter(Number.isFinite);
  const scale = finite.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  const isNear = (value: number, i: number) => {
    const wanted = expected[i] as number;
    if (!Number.isFinite(wanted)) return Object.is(value, wanted);
    return Math.abs(value - wanted) <= tolerance * scale;
  };
  const wrong = got.findIndex((value, i) => !isNear(value, i));
  expect(wrong < 0 ? "none" : `${got[wrong]} for ${expected[wrong]} at ${wrong}`).toBe("none");
}
