import type { Program } from "../program.ts";
import { stride } from "../rows-of-tensors.ts";
import { reduceFunctions } from "./reduce.ts";

const threads = 256;

const each = <T>(n: number, f: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => f(i));

/** Rounded up to whole strides of a row. */
const paddedFunction = `fn padded(size: u32) -> u32 { return (size + ${stride - 1}u) / ${stride}u * ${stride}u; }`;

/**
 * Sums of squares of shares of several tensors at once, a group for each share. Those of the first
 * tensor begin at `first` of `squares`, those of the next one at the next stride behind them, with
 * zeros between.
 */
export function squaresProgram(tensors: number): Program {
  return {
    name: `squares ${tensors}`,
    reads: each(tensors, (i) => `x${i}`),
    writes: ["squares"],
    scalars: {
      first: "u32",
      ...Object.fromEntries(each(tensors, (i) => [`groups${i}`, "u32" as const])),
    },
    workgroupSize: [threads, 1],
    declarations: `${reduceFunctions(threads)}\n${paddedFunction}`,
    body: `
  var part = group;
  var slot = u.first;
  var parts = 0u;
  var sum = 0.0;
  ${each(
    tensors,
    (i) => `if (parts == 0u) {
    if (part < u.groups${i}) {
      parts = u.groups${i};
      let size = arrayLength(&x${i});
      let share = (size + parts - 1u) / parts;
      for (var at = part * share + thread; at < min((part + 1u) * share, size); at += ${threads}u) {
        sum += x${i}[at] * x${i}[at];
      }
    } else {
      part -= u.groups${i};
      slot += padded(u.groups${i});
    }
  }`,
  ).join("\n  ")}
  if (parts == 0u) { return; }
  sum = total(thread, sum);
  if (thread == 0u) { squares[slot + part] = sum; }
  if (part + 1u == parts && parts + thread < padded(parts)) { squares[slot + parts + thread] = 0.0; }`,
  };
}

/**
 * The same of small tensors, a group for each, which are written into a row on the way, from
 * `place` of `copies` on. From `behind` on that takes a number for each stride of the row: the
 * sum of squares of the tensor that lies there.
 */
export function packedSquaresProgram(tensors: number): Program {
  return {
    name: `packedSquares ${tensors}`,
    reads: each(tensors, (i) => `x${i}`),
    writes: ["squares", "copies"],
    scalars: { first: "u32", place: "u32", behind: "u32" },
    workgroupSize: [threads, 1],
    declarations: `${reduceFunctions(threads)}\n${paddedFunction}`,
    body: `
  var start = u.place;
  var size = 0u;
  var sum = 0.0;
  ${each(
    tensors,
    (i) => `if (group == ${i}u) {
    size = arrayLength(&x${i});
    for (var at = thread; at < size; at += ${threads}u) {
      copies[start + at] = x${i}[at];
      sum += x${i}[at] * x${i}[at];
    }
  } else if (group > ${i}u) { start += padded(arrayLength(&x${i})); }`,
  ).join("\n  ")}
  sum = total(thread, sum);
  if (thread < ${stride}u) { squares[u.first + group * ${stride}u + thread] = select(0.0, sum, thread == 0u); }
  for (var at = thread; at < padded(size) / ${stride}u; at += ${threads}u) {
    copies[u.behind + start / ${stride}u + at] = sum;
  }`,
  };
}
