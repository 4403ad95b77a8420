import type { Program } from "../program.ts";
import { remembered } from "../remembered.ts";
import { geluFunctions } from "./gelu.ts";

/** Of each element: what `values` computes of it, output by output. */
function eachProgram(
  name: string,
  reads: readonly string[],
  values: Readonly<Record<string, string>>,
  halves: readonly string[] = [],
): Program {
  return {
    name,
    reads,
    writes: Object.keys(values),
    halves,
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

/** The gradient before an activation, from what was there, which may be halves. */
const backwardProgram = (name: string, dx: string) =>
  remembered((isHalf: boolean) =>
    eachProgram(`${name} ${isHalf}`, ["dy", "x"], { dx }, isHalf ? ["x"] : []),
  );

export const geluBackwardProgram: (isHalf: boolean) => Program = backwardProgram(
  "geluBackward",
  "dy[at] * geluSlope(xAt(at))",
);

export const reluBackwardProgram: (isHalf: boolean) => Program = backwardProgram(
  "reluBackward",
  "select(0.0, dy[at], xAt(at) > 0.0)",
);
