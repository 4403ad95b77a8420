import { valueAndGradients } from "@dino/ops";
import { expectNoLeak, namedValues } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import type { Values } from "./reference/linear.ts";

/** Tensors by name; a test knows their ranks. */
// biome-ignore lint/suspicious/noExplicitAny: ranks are the test's business
export type Tensors = Readonly<Record<string, any>>;

export interface Differential {
  /** Shapes of the inputs that get gradients. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** The inputs lie in `[-range, range)`. */
  readonly range?: number;
  readonly run: (tensors: Tensors) => tf.Tensor;
  /** The same in float64, by plain loops. */
  readonly reference: (values: Readonly<Record<string, Values>>) => Values;
  /** Of values and gradients, relative to the largest of each array. */
  readonly tolerance?: number;
  /** Compares the gradients along a few random directions alone: for shapes with many elements. */
  readonly isLarge?: boolean;
}

/**
 * Defines a test: `run` agrees with `reference`, its gradients agree with the reference's finite
 * differences in float64, and neither leaves a tensor behind.
 */
export function testDifferential(
  name: string,
  { inputs, range = 1, run, reference, tolerance = 1e-5, isLarge = false }: Differential,
): void {
  test(name, async () => {
    const names = Object.keys(inputs);
    const shapes = Object.values(inputs).map((shape) => [...shape]);
    const given = names.map((input, i) =>
      namedValues(`${name} ${input}`, tf.util.sizeFromShape(shapes[i] as number[]), -range, range),
    );
    const params: Tensors = Object.fromEntries(
      names.map((input, i) => [input, tf.tensor(given[i] as Float32Array, shapes[i])]),
    );
    const values = Object.fromEntries(
      names.map((input, i) => [input, Float64Array.from(given[i] as Float32Array)]),
    );

    const output = run(params);
    const expected = reference(values);
    expectAgreement("value", await output.data(), expected, tolerance);

    // Any direction will do for the gradients, if no two outputs weigh the same.
    const direction = namedValues(`${name} direction`, expected.length);
    const { shape } = output;
    const along = (p: Tensors) =>
      tf.tidy(() => tf.sum<tf.Scalar>(tf.mul(run(p), tf.tensor(direction, shape))));
    const { gradients } = valueAndGradients(params, along);
    const truths = truthsOf(`${expect.getState().testPath} ${name}`, expected);
    for (const input of names) {
      const gradient = gradients[input] as tf.Tensor;
      expect(gradient.shape, `gradient of ${input}`).toEqual(inputs[input]);
      const actual = Float64Array.from(await gradient.data());
      const f = (v: Readonly<Record<string, Values>>) => dot(reference(v), direction);
      const find = isLarge ? slopes : finiteDifferences;
      const truth = truths.get(input) ?? find(values, input, f);
      truths.set(input, truth);
      if (isLarge) expectSlopes(input, actual, truth, tolerance);
      else expectAgreement(`gradient of ${input}`, actual, truth, tolerance);
    }

    expectNoLeak(() => run(params));
    expectNoLeak(() => {
      const { value, gradients } = valueAndGradients(params, along);
      return [value, ...Object.values(gradients)];
    });
    tf.dispose([output, gradients, params]);
  });
}

/** Fails unless no element is further off than `tolerance` times the largest (which counts as 1e-3 at least). */
export function expectAgreement(
  name: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance = 1e-5,
): void {
  expect(actual.length, name).toBe(expected.length);
  const scale = Array.from(expected, Math.abs).reduce((a, b) => Math.max(a, b), 1e-3);
  const off = Array.from(
    expected,
    (value, i) => Math.abs((actual[i] ?? Number.NaN) - value) / scale,
  );
  const worst = off.find(Number.isNaN) ?? Math.max(0, ...off);
  expect(worst, name).toBeLessThanOrEqual(tolerance);
}

/** What is known of the gradients of a test, by input. */
type Truths = Map<string, Values>;

/** What was found of a test on another backend. */
const known = new Map<string, { readonly value: Values; readonly truths: Truths }>();

/** The truths that were found before for a test whose value is this one; none, where it is new. */
function truthsOf(test: string, value: Values): Truths {
  const before = known.get(test);
  const isSame =
    before?.value.length === value.length && value.every((x, i) => x === before.value[i]);
  if (before && isSame) return before.truths;
  const truths: Truths = new Map();
  known.set(test, { value, truths });
  return truths;
}

function finiteDifferences(
  values: Readonly<Record<string, Values>>,
  name: string,
  f: (values: Readonly<Record<string, Values>>) => number,
): Values {
  const moved = { ...values, [name]: Float64Array.from(values[name] as Values) };
  const array = moved[name] as Values;
  return array.map((value, i) => {
    const step = 1e-5 * Math.max(1, Math.abs(value));
    array[i] = value + step;
    const up = f(moved);
    array[i] = value - step;
    const down = f(moved);
    array[i] = value;
    return (up - down) / (2 * step);
  });
}

/** How `f` changes along three random directions. */
function slopes(
  values: Readonly<Record<string, Values>>,
  input: string,
  f: (values: Readonly<Record<string, Values>>) => number,
): Values {
  const place = values[input] as Values;
  return Float64Array.from(directions(input, place.length), (along) => {
    const at = (step: number) =>
      f({ ...values, [input]: place.map((value, i) => value + step * (along[i] as number)) });
    return (at(1e-4) - at(-1e-4)) / 2e-4;
  });
}

/** Fails unless the gradient foretells the slopes along three random directions. */
function expectSlopes(input: string, gradient: Values, slopes: Values, tolerance: number): void {
  const scale = Math.sqrt(dot(gradient, gradient) / 3); // what random directions give
  for (const [i, along] of directions(input, gradient.length).entries()) {
    const off = Math.abs(dot(gradient, along) - (slopes[i] as number));
    expect(off / scale, `gradient of ${input}`).toBeLessThanOrEqual(tolerance);
  }
}

function directions(input: string, count: number): readonly Float32Array[] {
  return [1, 2, 3].map((round) => namedValues(`gradient of ${input} ${round}`, count));
}

function dot(a: Values, b: ArrayLike<number>): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
}
