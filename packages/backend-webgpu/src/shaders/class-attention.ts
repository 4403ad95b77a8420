import type { Program } from "../program.ts";
import { reduceFunctions } from "./reduce.ts";
import { placeOfSequence, segmentScalars } from "./segments.ts";

const threads = 64;
const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

/** What both ways share: the queries of a head, and where keys and values lie. */
function declarations(width: number, segments: number): string {
  return `
${placeOfSequence(segments)}
${reduceFunctions(threads)}
var<workgroup> query: array<f32, ${width}>;
var<workgroup> weights: array<f32, ${threads}>;
fn pair(row: u32, part: u32, head: u32) -> u32 {
  return (row * 2u + part) * u.heads * ${width}u + head * ${width}u;
}`;
}

const begin = (width: number) => `
  if (group >= u.sequences * u.heads) { return; }
  let head = group % u.heads;
  let sequence = group / u.heads;
  let place = placeOfSequence(sequence);
  let origin = place.x;
  let count = place.y;
  let own = sequence * u.heads * ${width}u + head * ${width}u;
  for (var i = thread; i < ${width}u; i += ${threads}u) { query[i] = q[own + i]; }
  workgroupBarrier();`;

/** The score of a thread's token, far below all others beyond the sequence. */
const scoreOf = (width: number) => `
    let token = begun + thread;
    var score = -3e38;
    if (token < count) {
      let key = pair(origin + token, 0u, head);
      var sum = 0.0;
      for (var i = 0u; i < ${width}u; i++) { sum = fma(query[i], kvAt(key + i), sum); }
      score = sum * u.scale;
    }`;

/**
 * Attention of the first token of every sequence to all of its tokens, a group for each head. Also
 * gives the logarithms of the softmax's sums, behind the rows in `mixed`.
 */
export function classAttentionProgram(width: number, segments: number, isHalf: boolean): Program {
  const each = range(Math.ceil(width / threads));
  return {
    name: `classAttention ${width} ${segments} ${isHalf}`,
    halves: isHalf ? ["kv"] : [],
    reads: ["q", "kv"],
    writes: ["mixed"],
    scalars: { heads: "u32", sequences: "u32", scale: "f32", ...segmentScalars(segments) },
    workgroupSize: [threads, 1],
    declarations: declarations(width, segments),
    body: `${begin(width)}
  var highest = -3e38;
  var all = 0.0;
  ${each.map((e) => `var y${e} = 0.0;`).join(" ")}
  for (var begun = 0u; begun < count; begun += ${threads}u) {
    ${scoreOf(width)}
    let next = max(highest, most(thread, score));
    let shrink = exp(highest - next);
    highest = next;
    let weight = exp(score - highest);
    weights[thread] = weight;
    all = all * shrink + total(thread, weight); // which also waits for the weights
    ${each.map((e) => `y${e} *= shrink;`).join(" ")}
    for (var k = 0u; k < min(${threads}u, count - begun); k++) {
      let value = pair(origin + begun + k, 1u, head);
      ${each
        .map(
          (e) =>
            `if (thread + ${e * threads}u < ${width}u) { y${e} = fma(weights[k], kvAt(value + thread + ${e * threads}u), y${e}); }`,
        )
        .join("\n      ")}
    }
    workgroupBarrier();
  }
  ${each
    .map(
      (e) =>
        `if (thread + ${e * threads}u < ${width}u) { mixed[own + thread + ${e * threads}u] = y${e} / all; }`,
    )
    .join("\n  ")}
  if (thread == 0u) { mixed[u.sequences * u.heads * ${width}u + group] = highest + log(all); }`,
  };
}

/** The gradients of queries, keys and values. */
export function classAttentionBackwardProgram(
  width: number,
  segments: number,
  isHalf: boolean,
): Program {
  const each = range(Math.ceil(width / threads));
  return {
    name: `classAttentionBackward ${width} ${segments} ${isHalf}`,
    halves: isHalf ? ["kv"] : [],
    reads: ["q", "kv", "dy", "mixed"],
    writes: ["dQ", "dKv"],
    scalars: { heads: "u32", sequences: "u32", scale: "f32", ...segmentScalars(segments) },
    workgroupSize: [threads, 1],
    declarations: `${declarations(width, segments)}
var<workgroup> wanted: array<f32, ${width}>;
var<workgroup> slopes: array<f32, ${threads}>;`,
    body: `${begin(width)}
  var partial = 0.0;
  for (var i = thread; i < ${width}u; i += ${threads}u) {
    wanted[i] = dy[own + i];
    partial += dy[own + i] * mixed[own + i];
  }
  let along = total(thread, partial); // which also waits for what is wanted
  let logSum = mixed[u.sequences * u.heads * ${width}u + group];
  ${each.map((e) => `var y${e} = 0.0;`).join(" ")}
  for (var begun = 0u; begun < count; begun += ${threads}u) {
    ${scoreOf(width)}
    var slope = 0.0;
    if (token < count) {
      let value = pair(origin + token, 1u, head);
      for (var i = 0u; i < ${width}u; i++) { slope = fma(wanted[i], kvAt(value + i), slope); }
    }
    let weight = exp(score - logSum);
    weights[thread] = weight;
    slopes[thread] = weight * (slope - along) * u.scale;
    workgroupBarrier();
    for (var k = 0u; k < min(${threads}u, count - begun); k++) {
      let key = pair(origin + begun + k, 0u, head);
      let value = pair(origin + begun + k, 1u, head);
      ${each
        .map(
          (e) => `if (thread + ${e * threads}u < ${width}u) {
        let i = thread + ${e * threads}u;
        y${e} = fma(slopes[k], kvAt(key + i), y${e});
        dKv[key + i] = slopes[k] * query[i];
        dKv[value + i] = weights[k] * wanted[i];
      }`,
        )
        .join("\n      ")}
    }
    workgroupBarrier();
  }
  ${each
    .map(
      (e) =>
        `if (thread + ${e * threads}u < ${width}u) { dQ[own + thread + ${e * threads}u] = y${e}; }`,
    )
    .join("\n  ")}`,
  };
}
