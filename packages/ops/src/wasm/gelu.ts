import type * as tf from "@tensorflow/tfjs-core";
import { addKernel } from "../repair/replace-kernel.ts";
import { heapViews, type WasmHeap } from "./heap.ts";

/** Beyond this the GELU is x or 0 to float32, and its derivative 1 or 0. */
const reach = 8;
/** Places in the tables per unit of x. */
const density = 32;

/** The last place. */
const last = 2 * reach * density;
/** Taylor coefficients at a place: four of the GELU, then four of its derivative. */
const coefficients = 8;

let made: Float64Array | undefined;

/** The coefficients at every place: from the nearest one, they are within 1e-7 of the functions. */
function table(): Float64Array {
  if (made) return made;
  made = new Float64Array(coefficients * (last + 1));
  // From the first place down the GELU stays 0, from the last one up it goes on as x.
  made.set([reach, 1, 0, 0, 1, 0, 0, 0], coefficients * last);
  for (let i = coefficients; i < coefficients * last; i += coefficients) {
    const x = i / coefficients / density - reach;
    const pdf = Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
    const cdf = 0.5 + 0.5 * erf(x * Math.SQRT1_2);
    const first = cdf + x * pdf;
    const second = pdf * (2 - x ** 2);
    const third = pdf * (x ** 3 - 4 * x);
    const fourth = pdf * (7 * x ** 2 - x ** 4 - 4);
    made.set([x * cdf, first, second / 2, third / 6], i);
    made.set([first, second, third / 2, fourth / 6], i + 4);
  }
  return made;
}

/** The error function by Kummer's series, whose terms are all of one sign. */
function erf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

function cubic(table: Float64Array, i: number, d: number): number {
  const curve = (table[i + 2] as number) + d * (table[i + 3] as number);
  return (table[i] as number) + d * ((table[i + 1] as number) + d * curve);
}

/** The GELU of every value. One loop for each need: a test within it would cost half as much again. */
function fillValues(from: Float32Array, values: Float32Array): void {
  const cubics = table();
  for (let i = 0; i < from.length; i++) {
    const at = ((from[i] as number) + reach) * density;
    const place = (Math.max(0, Math.min(at, last)) + 0.5) | 0;
    values[i] = cubic(cubics, coefficients * place, (at - place) / density);
  }
}

/** The GELU of every value, and its derivative. */
function fillBoth(from: Float32Array, values: Float32Array, slopes: Float32Array): void {
  const cubics = table();
  for (let i = 0; i < from.length; i++) {
    const at = ((from[i] as number) + reach) * density;
    const place = (Math.max(0, Math.min(at, last)) + 0.5) | 0;
    const d = (at - place) / density;
    values[i] = cubic(cubics, coefficients * place, d);
    slopes[i] = cubic(cubics, coefficients * place + 4, d);
  }
}

/** The derivative at every value, times `along`. */
function fillSlopes(from: Float32Array, along: Float32Array, slopes: Float32Array): void {
  const cubics = table();
  for (let i = 0; i < from.length; i++) {
    const at = ((from[i] as number) + reach) * density;
    const place = (Math.max(0, Math.min(at, last)) + 0.5) | 0;
    const slope = cubic(cubics, coefficients * place + 4, (at - place) / density);
    slopes[i] = slope * (along[i] as number);
  }
}

/** The GELU from a table: tfjs-wasm's `erf` and `exp` take most of the composite's time. */
export function geluFromTable(backendName: string): void {
  addKernel("DinoGelu", backendName, (call) => {
    const { x } = call.inputs as { readonly x: tf.TensorInfo };
    const backend = call.backend as WasmHeap;
    const y = backend.makeOutput(x.shape, "float32");
    const [from, values] = heapViews(backend, [x, y]) as [Float32Array, Float32Array];
    fillValues(from, values);
    return [y];
  });

  addKernel("DinoGeluParts", backendName, (call) => {
    const { x } = call.inputs as { readonly x: tf.TensorInfo };
    const backend = call.backend as WasmHeap;
    const outputs = [0, 1].map(() => backend.makeOutput(x.shape, "float32"));
    const [from, values, slopes] = heapViews(backend, [x, ...outputs]) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    fillBoth(from, values, slopes);
    return outputs;
  });

  addKernel("DinoGeluBackward", backendName, (call) => {
    const { dy, x } = call.inputs as { readonly dy: tf.TensorInfo; readonly x: tf.TensorInfo };
    const backend = call.backend as WasmHeap;
    const dx = backend.makeOutput(x.shape, "float32");
    const [from, along, slopes] = heapViews(backend, [x, dy, dx]) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    fillSlopes(from, along, slopes);
    return [dx];
  });
}
