import type * as tf from "@tensorflow/tfjs-core";
import { remembered } from "../remembered.ts";
import { sumProgram } from "../shaders/sums.ts";
import type { DinoWebGPUBackend } from "../webgpu-backend.ts";
import { sizeOf } from "./size-of.ts";

const program = remembered(sumProgram);

/** How many numbers a group adds up before it pays to share them among several, and with how many at most. */
const share = 16384;
const mostGroups = 256;

/** Among how many groups a sum of so many numbers is shared. */
export function groupsOfSum(size: number): number {
  return Math.max(1, Math.min(mostGroups, Math.ceil(size / share)));
}

/** Sums of shares of a tensor's elements, or of their squares: a few hundred at most. */
export function partialSums(
  backend: DinoWebGPUBackend,
  x: tf.TensorInfo,
  ofSquares: boolean,
): tf.TensorInfo {
  const size = sizeOf(x);
  const groups = groupsOfSum(size);
  const own = Math.max(1, Math.ceil(size / groups));
  const sums = backend.output([Math.ceil(size / own)]);
  backend.run(program(ofSquares), {
    reads: [x],
    writes: [sums],
    scalars: { size, share: own },
    groups: sums.shape[0] as number,
  });
  return sums;
}

/** Sums of squares of shares of a tensor's elements, which a norm that was asked for before has left. */
export function partialSquares(backend: DinoWebGPUBackend, x: tf.TensorInfo): tf.TensorInfo {
  const known = backend.tracesOf(x)?.squares;
  return known ? backend.same(known) : partialSums(backend, x, true);
}

/** The sum of partial sums as a scalar. Consumes them. */
export function sumOf(backend: DinoWebGPUBackend, sums: tf.TensorInfo): tf.TensorInfo {
  const isOne = sums.shape[0] === 1;
  const one = isOne ? backend.same(sums) : partialSums(backend, sums, false);
  backend.free(sums);
  return { ...one, shape: [] };
}
