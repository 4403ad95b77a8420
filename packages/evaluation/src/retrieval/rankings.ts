import type { Features } from "../features.ts";
import type { LongCall } from "../long-call.ts";
import { similarities } from "../similarities.ts";
import { unitSource } from "../unit-rows.ts";

/** Similarities that are held at once, at most: 128 MiB. */
const heldValues = 2 ** 25;

/**
 * Every query's ranking of all rows, most similar first, one query after the other. Of equally
 * similar rows the ones that come first are the better.
 */
export async function* rankings(
  queries: Features,
  rows: Features,
  { signal, onProgress }: LongCall = {},
): AsyncGenerator<Int32Array, void> {
  const right = unitSource("rows", rows);
  const left = unitSource("queries", queries);
  const step = Math.max(1, Math.floor(heldValues / rows.count));
  const total = queries.count * rows.count;
  for (let first = 0; first < queries.count; first += step) {
    const count = Math.min(step, queries.count - first);
    const held = new Float32Array(count * rows.count);
    const blocks = similarities(await left.read(first, count), right, {
      signal,
      onProgress: ({ done }) => onProgress?.({ done: first * rows.count + done, total }),
    });
    for await (const block of blocks) {
      for (let i = 0; i < block.queries; i++) {
        const found = block.values.subarray(i * block.rows, (i + 1) * block.rows);
        held.set(found, (block.firstQuery + i) * rows.count + block.firstRow);
      }
    }
    for (let i = 0; i < count; i++) {
      signal?.throwIfAborted();
      yield descending(held.subarray(i * rows.count, (i + 1) * rows.count));
    }
  }
}

/** Where the values lie, largest first, equals in their order. */
function descending(values: Float32Array): Int32Array {
  // Sorted as whole numbers with the value's order above and its place below, which needs no
  // comparison in JavaScript: ten times as fast.
  const pairs = new BigUint64Array(values.length);
  const halves = new Uint32Array(pairs.buffer); // low before high on every machine with JavaScript
  const bits = new Int32Array(Float32Array.from(values, (value) => value + 0).buffer); // no -0
  for (let i = 0; i < bits.length; i++) {
    const ordered = bits[i] as number;
    halves[2 * i] = i;
    halves[2 * i + 1] = ordered < 0 ? ordered : ~(ordered ^ 0x80000000);
  }
  pairs.sort();
  return Int32Array.from(values, (_, place) => halves[2 * place] as number);
}
