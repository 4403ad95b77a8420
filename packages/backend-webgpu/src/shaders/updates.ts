import type { Program } from "../program.ts";
import { stride } from "../rows-of-tensors.ts";
import { reduceFunctions } from "./reduce.ts";

/** Threads of a group, and how many elements each of them has. */
const threads = 64;
const elements = 8;

/** How many elements a group updates. */
export const elementsOfGroup: number = threads * elements;

/** Puts the norm that partial sums of squares make into the thread's `name`, all threads together. */
const normOf = (name: string, squares: string) => `
  var ${name} = 0.0;
  for (var i = thread; i < arrayLength(&${squares}); i += ${threads}u) { ${name} += ${squares}[i]; }
  ${name} = sqrt(total(thread, ${name}));`;

/**
 * Does `update` to every element of the group, whose number is `at`, of a buffer that is written. It
 * knows its size itself: tensors of all sizes are then told the same numbers, and share them.
 */
const forEach = (written: string, update: string) => `
  for (var i = 0u; i < ${elements}u; i++) {
    let at = (group * ${elements}u + i) * ${threads}u + thread;
    if (at >= arrayLength(&${written})) { return; }
    ${update}
  }`;

export interface AdamWOptions {
  /** Whether the gradient is clipped by the norm that `squares` gives. */
  readonly clips: boolean;
  /** Whether a moving average takes the new parameter in. */
  readonly averages: boolean;
  /**
   * Whether rows of tensors are updated together: behind the gradients there is then, for each
   * stride of the row, the sum of squares of the one that lies there.
   */
  readonly inRow?: boolean;
}

/** One AdamW update in place, with clipping and the moving average in the same pass. */
export function adamWProgram({ clips, averages, inRow = false }: AdamWOptions): Program {
  const sums = clips && !inRow;
  return {
    name: `adamW ${clips} ${averages} ${inRow}`,
    reads: ["gradient", ...(sums ? ["squares"] : [])],
    writes: ["parameter", "moment1", "moment2", ...(averages ? ["average"] : [])],
    scalars: {
      keeps: "f32",
      beta1: "f32",
      beta2: "f32",
      rest1: "f32",
      rest2: "f32",
      rate: "f32",
      root: "f32",
      epsilon: "f32",
      clip: "f32",
      momentum: "f32",
      restOfMomentum: "f32",
    },
    workgroupSize: [threads, 1],
    declarations: sums ? reduceFunctions(threads) : "",
    body: `${sums ? normOf("norm", "squares") : ""}${forEach(
      "parameter",
      `
  var slope = gradient[at];
  ${clips && inRow ? `let norm = sqrt(gradient[arrayLength(&parameter) + at / ${stride}u]);` : ""}
  ${clips ? "slope *= min(u.clip / (norm + 1e-6), 1.0);" : ""}
  let first = moment1[at] * u.beta1 + slope * u.rest1;
  let second = moment2[at] * u.beta2 + slope * slope * u.rest2;
  moment1[at] = first;
  moment2[at] = second;
  let next = parameter[at] * u.keeps - first * u.rate / (sqrt(second) / u.root + u.epsilon);
  parameter[at] = next;
  ${averages ? "average[at] = average[at] * u.momentum + next * u.restOfMomentum;" : ""}`,
    )}`,
  };
}

export interface DescentOptions {
  /** Whether there is no momentum buffer before: it is written alone. */
  readonly isFirst: boolean;
  /** Whether the step is held to a share of the parameter's norm (LARS). */
  readonly adapts: boolean;
}

/** One step of gradient descent with momentum in place. */
export function descentProgram({ isFirst, adapts }: DescentOptions): Program {
  return {
    name: `descent ${isFirst} ${adapts}`,
    reads: ["gradient", ...(adapts ? ["squares", "slopeSquares"] : [])],
    writes: ["parameter", "buffer"],
    scalars: { rate: "f32", decay: "f32", momentum: "f32", trust: "f32" },
    workgroupSize: [threads, 1],
    declarations: adapts ? reduceFunctions(threads) : "",
    body: `${adapts ? normOf("length", "squares") + normOf("steepness", "slopeSquares") : ""}${forEach(
      "parameter",
      `
  var slope = gradient[at] + parameter[at] * u.decay;
  ${adapts ? `if (length > 0.0 && steepness > 0.0) { slope *= length * u.trust / steepness; }` : ""}
  ${isFirst ? "" : "slope += buffer[at] * u.momentum;"}
  buffer[at] = slope;
  parameter[at] -= slope * u.rate;`,
    )}`,
  };
}

/** The gradient with the decay in it, whose norm LARS asks for. */
export const decayedProgram: Program = {
  name: "decayed",
  reads: ["gradient", "parameter"],
  writes: ["y"],
  scalars: { decay: "f32" },
  workgroupSize: [threads, 1],
  body: forEach("y", "y[at] = gradient[at] + parameter[at] * u.decay;"),
};

export const movingAverageProgram: Program = {
  name: "movingAverage",
  reads: ["value"],
  writes: ["average"],
  scalars: { momentum: "f32", rest: "f32" },
  workgroupSize: [threads, 1],
  body: forEach("average", "average[at] = average[at] * u.momentum + value[at] * u.rest;"),
};

export const clipProgram: Program = {
  name: "clip",
  reads: ["squares"],
  writes: ["gradient"],
  scalars: { maximum: "f32" },
  workgroupSize: [threads, 1],
  declarations: reduceFunctions(threads),
  body:
    normOf("norm", "squares") +
    forEach("gradient", "gradient[at] *= min(u.maximum / (norm + 1e-6), 1.0);"),
};
