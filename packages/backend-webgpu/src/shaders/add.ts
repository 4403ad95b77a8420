import type { Program } from "../program.ts";

/** The sum of so many tensors of one shape. */
export function addProgram(count: number): Program {
  const reads = Array.from({ length: count }, (_, i) => `x${i}`);
  return {
    name: `add ${count}`,
    reads,
    writes: ["y"],
    scalars: { size: "u32" },
    workgroupSize: [64, 1],
    body: `
  let at = group * 64u + thread;
  if (at >= u.size) { return; }
  y[at] = ${reads.map((name) => `${name}[at]`).join(" + ")};`,
  };
}
