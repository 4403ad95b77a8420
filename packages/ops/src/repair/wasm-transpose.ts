import type * as tf from "@tensorflow/tfjs-core";
import type { WasmHeap } from "../wasm/heap.ts";
import { replaceKernel } from "./replace-kernel.ts";

/**
 * Lets permutations of three and more axes copy whole runs where the last axis stays last. The
 * stock kernel computes an index for every element.
 */
export function fastTranspose(backendName: string): void {
  replaceKernel("Transpose", backendName, (stock) => (call) => {
    const { x } = call.inputs as { readonly x: tf.TensorInfo };
    const { perm } = call.attrs as unknown as { readonly perm: readonly number[] };
    const { shape, dtype } = x;
    const last = shape.length - 1;
    if (last < 2 || perm[last] !== last || dtype === "string" || dtype === "complex64") {
      return stock(call);
    }
    const backend = call.backend as WasmHeap;
    const out = backend.makeOutput(
      perm.map((axis) => shape[axis] as number),
      dtype,
    );
    const from = backend.typedArrayFromHeap(x);
    permuteRuns(from, backend.typedArrayFromHeap(out), shape, perm);
    return out;
  });
}

type Values = Float32Array | Int32Array | Uint8Array;

/** Copies runs of the last axis in the order of the permuted ones. */
function permuteRuns(
  from: Values,
  to: Values,
  shape: readonly number[],
  perm: readonly number[],
): void {
  const run = shape.at(-1) as number;
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const sizes = perm.slice(0, -1).map((axis) => shape[axis] as number);
  const steps = perm.slice(0, -1).map((axis) => strides[axis] as number);
  const counters = sizes.map(() => 0);
  let source = 0;
  for (let target = 0; target < to.length; target += run) {
    for (let i = 0; i < run; i++) to[target + i] = from[source + i] as number;
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      source += steps[axis] as number;
      counters[axis] = (counters[axis] as number) + 1;
      if ((counters[axis] as number) < (sizes[axis] as number)) break;
      source -= (steps[axis] as number) * (sizes[axis] as number);
      counters[axis] = 0;
    }
  }
}
