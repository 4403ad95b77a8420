import type { Program } from "../program.ts";
import { reduceFunctions } from "./reduce.ts";

const threads = 256;

/** What a crop of a picture is to match, summed over the other views, and its own logits. */
const declarations = `${reduceFunctions(threads)}
fn wanted(crop: u32, sample: u32, i: u32) -> f32 {
  var sum = 0.0;
  for (var view = 0u; view < u.globals; view++) {
    if (view != crop) { sum += targets[(view * u.batch + sample) * u.prototypes + i]; }
  }
  return sum;
}`;

const scalars = {
  crops: "u32",
  globals: "u32",
  batch: "u32",
  prototypes: "u32",
  temperature: "f32",
  terms: "f32",
} as const;

/** Finds the row of the group, or leaves; then its largest logit and the sum of exponentials. */
const begin = `
  if (group >= u.crops * u.batch) { return; }
  let crop = group / u.batch;
  let sample = group % u.batch;
  let first = group * u.prototypes;
  var highest = -3e38;
  for (var i = thread; i < u.prototypes; i += ${threads}u) {
    highest = max(highest, student[first + i] / u.temperature);
  }
  highest = most(thread, highest);
  var exponentials = 0.0;
  var mass = 0.0;`;

/** A row's part of the loss, for each crop and picture. */
export const crossEntropyProgram: Program = {
  name: "crossEntropy",
  reads: ["student", "targets"],
  writes: ["losses"],
  scalars,
  workgroupSize: [threads, 1],
  declarations,
  body: `${begin}
  var along = 0.0;
  for (var i = thread; i < u.prototypes; i += ${threads}u) {
    let logit = student[first + i] / u.temperature - highest;
    let share = wanted(crop, sample, i);
    exponentials += exp(logit);
    mass += share;
    along += share * logit;
  }
  let sums = totals(thread, vec2<f32>(exponentials, mass));
  along = total(thread, along);
  if (thread == 0u) { losses[group] = (sums.y * log(sums.x) - along) / u.terms; }`,
};

export const crossEntropyBackwardProgram: Program = {
  name: "crossEntropyBackward",
  reads: ["student", "targets", "dy"],
  writes: ["gradient"],
  scalars,
  workgroupSize: [threads, 1],
  declarations,
  body: `${begin}
  for (var i = thread; i < u.prototypes; i += ${threads}u) {
    exponentials += exp(student[first + i] / u.temperature - highest);
    mass += wanted(crop, sample, i);
  }
  let sums = totals(thread, vec2<f32>(exponentials, mass));
  let scale = dy[0] / (u.temperature * u.terms);
  for (var i = thread; i < u.prototypes; i += ${threads}u) {
    let probability = exp(student[first + i] / u.temperature - highest) / sums.x;
    gradient[first + i] = (probability * sums.y - wanted(crop, sample, i)) * scale;
  }`,
};
