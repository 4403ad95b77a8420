import type * as tf from "@tensorflow/tfjs-core";
import { remembered } from "../remembered.ts";
import { layInRow, padded } from "../rows-of-tensors.ts";
import { packedSquaresProgram, squaresProgram } from "../shaders/squares.ts";
import type { DinoWebGPUBackend } from "../webgpu-backend.ts";
import { sizeOf } from "./size-of.ts";
import { groupsOfSum } from "./sums.ts";

const program = remembered(squaresProgram);
const packedProgram = remembered(packedSquaresProgram);

/** The most elements of a vector that is updated together with others: it gets one group here. */
const smallest = 16384;

/** How many buffers a program binds at most: with more, each new number of tensors is a program more. */
const mostBuffers = 16;

/** A vector as biases and norms have, whose update takes no time but a dispatch. */
export function isSmall(tensor: tf.TensorInfo): boolean {
  return tensor.shape.length === 1 && sizeOf(tensor) <= smallest;
}

/**
 * Leaves with each of these tensors the sums of squares of its elements, and of the small ones a
 * copy in a row. Behind the row's parts comes one with the sum of squares of every stride's tensor.
 * Gives all the sums of squares, with zeros between them.
 */
export function traceSquares(
  backend: DinoWebGPUBackend,
  tensors: readonly tf.TensorInfo[],
): tf.TensorInfo {
  const small = tensors.filter(isSmall);
  const large = tensors.filter((tensor) => !isSmall(tensor));
  const groups = [...small.map(() => 1), ...large.map((tensor) => groupsOfSum(sizeOf(tensor)))];
  const squares = backend.row(groups.map((count) => [count]));
  const { starts, length } = layInRow(small.map(sizeOf));
  const behind = [padded(length) / padded(1)];
  const copies =
    small.length > 0 ? backend.row([...small.map(({ shape }) => shape), behind]) : undefined;

  const buffers = Math.min(backend.device.limits.maxStorageBuffersPerShaderStage, mostBuffers);
  const firsts = layInRow(groups).starts;
  for (const some of chunks(small.length, buffers - 2)) {
    const begin = some[0] as number;
    backend.run(packedProgram(some.length), {
      reads: some.map((i) => small[i] as tf.TensorInfo),
      writes: [squares.whole, (copies as Row).whole],
      scalars: { first: firsts[begin] as number, place: starts[begin] as number, behind: length },
      groups: some.length,
    });
  }
  for (const some of chunks(large.length, buffers - 1)) {
    const own = some.map((i) => groups[small.length + i] as number);
    backend.run(program(some.length), {
      reads: some.map((i) => large[i] as tf.TensorInfo),
      writes: [squares.whole],
      scalars: {
        first: firsts[small.length + (some[0] as number)] as number,
        ...Object.fromEntries(own.map((count, i) => [`groups${i}`, count])),
      },
      groups: own.reduce((sum, count) => sum + count, 0),
    });
  }
  const squaresOfStrides = copies?.parts[small.length] as tf.TensorInfo;
  [...small, ...large].forEach((tensor, i) => {
    const own = { squares: squares.parts[i] as tf.TensorInfo };
    const copy = copies?.parts[i];
    const isPacked = i < small.length && copy !== undefined;
    backend.keepTraces(tensor, isPacked ? { ...own, copy, squaresOfStrides } : own);
  });
  backend.free(...squares.parts);
  if (copies) backend.free(copies.whole, ...copies.parts);
  return squares.whole;
}

type Row = ReturnType<DinoWebGPUBackend["row"]>;

/** The numbers below `count` in order, so many at once. */
function chunks(count: number, most: number): number[][] {
  return Array.from({ length: Math.ceil(count / most) }, (_, chunk) =>
    Array.from({ length: Math.min(most, count - chunk * most) }, (_, i) => chunk * most + i),
  );
}
