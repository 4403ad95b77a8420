import type { Program } from "../program.ts";
import { geluFunctions } from "./gelu.ts";

/** Of each element: what `values` computes of it, output by output. */
function eachProgram(
  name: string,
  reads: readonly string[],
  values: Readonly<Record<string, string>>,
): Program {
  return {
    name,
    reads,
    writes: Object.keys(values),
    scalars: { size: "u32" },
    workgroupSize: [64, 1],
    declarations: geluFunctions,
    body: `
  let at = group * 64u + thread;
  if (at >= u.size) { return; }
  ${Object.entries(values)
    .map(([to, value]) => `${to}[at] = ${value};`)
    .join("\n  ")}`,
  };
}

export const geluProgram: Program = eachProgram("gelu", ["x"], { y: "gelu(x[at])" });

export const geluPartsProgram: Program = eachProgram("geluParts", ["x"], {
  y: "gelu(x[at])",
  slope: "geluSlope(x[at])",
});

export const geluBackwardProgram: Program = eachProgram("geluBackward", ["dy", "x"], {
  dx: "dy[at] * geluSlope(x[at])",
});

export const reluBackwardProgram: Program = eachProgram("reluBackward", ["dy", "x"], {
  dx: "select(0.0, dy[at], x[at] > 0.0)",
});
