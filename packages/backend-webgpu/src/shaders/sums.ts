import type { Program } from "../program.ts";
import { reduceFunctions } from "./reduce.ts";

const threads = 256;

/** The sum of so many numbers, or of their squares, one sum for each group's share. */
export function sumProgram(ofSquares: boolean): Program {
  return {
    name: `sum ${ofSquares}`,
    reads: ["x"],
    writes: ["sums"],
    scalars: { size: "u32", share: "u32" },
    workgroupSize: [threads, 1],
    declarations: reduceFunctions(threads),
    body: `
  let begun = group * u.share;
  if (begun >= u.size) { return; }
  var sum = 0.0;
  for (var i = begun + thread; i < min(begun + u.share, u.size); i += ${threads}u) {
    sum += ${ofSquares ? "x[i] * x[i]" : "x[i]"};
  }
  sum = total(thread, sum);
  if (thread == 0u) { sums[group] = sum; }`,
  };
}
