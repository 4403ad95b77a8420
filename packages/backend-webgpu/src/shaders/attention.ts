import type { Program, Scalars } from "../program.ts";
import { placeOfTile, segmentScalars } from "./segments.ts";

/** Threads of a group along each side of a tile. */
const side = 8;
const threads = side * side;
/** How many of a head's elements lie in the group's memory at once while scores are computed. */
const depth = 8;

/** How heads of a width are cut up. */
export interface AttentionTile {
  /** Tokens of a tile of queries, or of keys. */
  readonly tokens: number;
  /** A head's elements in fours, rounded up to what threads share evenly. */
  readonly quads: number;
}

/** The largest tiles whose rows fit into 8 KB of a group's memory; none for heads too wide. */
export function attentionTile(width: number): AttentionTile | undefined {
  const quads = side * Math.ceil(width / (4 * side));
  const tokens = [32, 16, 8].find((count) => count * quads * 4 <= 2048);
  return tokens === undefined ? undefined : { tokens, quads };
}

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

/** The type of so many numbers at once. */
const vector = (n: number): string => (n === 1 ? "f32" : `vec${n}<f32>`);
const unsigned = (n: number): string => (n === 1 ? "u32" : `vec${n}<u32>`);

/** The numbers of a vector one by one. */
const parts = (name: string, n: number): readonly string[] =>
  n === 1 ? [name] : range(n).map((i) => `${name}[${i}]`);

/** Which tokens of a tile a thread's columns are. */
const places = (n: number): string =>
  `${unsigned(n)}(${range(n)
    .map((j) => `tx * ${n}u + ${j}u`)
    .join(", ")})`;

function scalarsFor(segments: number): Scalars {
  return { heads: "u32", width: "u32", scale: "f32", ...segmentScalars(segments) };
}

/** What all programs share: the memory, and how rows of a head come into it. */
function declarations({ tokens, quads }: AttentionTile, segments: number, chunks: string[]) {
  return `
${placeOfTile(segments, tokens)}
${chunks.map((name) => `var<workgroup> ${name}: array<f32, ${depth * tokens}>;`).join("\n")}
var<workgroup> scores: array<f32, ${tokens * Math.max(tokens, side)}>;
var<workgroup> tile: array<vec4<f32>, ${tokens * quads}>;
fn packed(row: u32, part: u32, head: u32, i: u32) -> f32 {
  return qkvAt((row * 3u + part) * (u.heads * u.width) + head * u.width + i);
}`;
}

/** Finds the place of the group, or leaves. */
const begin = `
  let head = group % u.heads;
  let place = placeOfTile(group / u.heads);
  let count = place.y;
  if (count == 0u) { return; }
  let origin = place.x;
  let first = place.z;
  let tx = local.x;
  let ty = local.y;`;

/** Fills a chunk `[depth, tokens]` with elements from `begun` on of a head's rows; zero beyond the sequence. */
function fillChunk(
  { tokens }: AttentionTile,
  name: string,
  firstToken: string,
  value: string,
): string {
  return `for (var slot = thread; slot < ${depth * tokens}u; slot += ${threads}u) {
        let i = begun + slot % ${depth}u;
        let token = ${firstToken} + slot / ${depth}u;
        var value = 0.0;
        if (token < count && i < u.width) { value = ${value}; }
        ${name}[(slot % ${depth}u) * ${tokens}u + slot / ${depth}u] = value;
      }`;
}

/** Fills the tile with whole rows of a head, four elements at once. */
function fillTile(
  { tokens, quads }: AttentionTile,
  firstToken: string,
  value: (i: string) => string,
): string {
  return `for (var slot = thread; slot < ${tokens * quads}u; slot += ${threads}u) {
      let token = ${firstToken} + slot / ${quads}u;
      let i = (slot % ${quads}u) * 4u;
      var value = vec4<f32>();
      if (token < count) {
        ${range(4)
          .map((c) => `if (i + ${c}u < u.width) { value[${c}] = ${value(`i + ${c}u`)}; }`)
          .join("\n        ")}
      }
      tile[slot] = value;
    }`;
}

/** Products of rows of two pairs of chunks, into `s` and, of the second pair, `t`. */
function accumulateScores(
  { tokens }: AttentionTile,
  pairs: readonly (readonly [sum: string, a: string, b: string])[],
): string {
  const n = tokens / side;
  const type = vector(n);
  return `for (var k = 0u; k < ${depth}u; k++) {
        ${pairs
          .flatMap(([sum, a, b]) => [
            `let ${sum}b = ${type}(${range(n)
              .map((j) => `${b}[k * ${tokens}u + tx * ${n}u + ${j}u]`)
              .join(", ")});`,
            ...range(n).map(
              (i) =>
                `${sum}${i} = fma(${type}(${a}[k * ${tokens}u + ty * ${n}u + ${i}u]), ${sum}b, ${sum}${i});`,
            ),
          ])
          .join("\n        ")}
      }`;
}

/** Adds `scores` times the tile to a thread's rows of `name`. */
function accumulateTile(
  { tokens, quads }: AttentionTile,
  name: string,
  score: (row: string) => string,
): string {
  const n = tokens / side;
  const each = range(quads / side);
  return `for (var k = 0u; k < ${tokens}u; k++) {
      ${each.map((e) => `let v${e} = tile[k * ${quads}u + ${e * side}u + tx];`).join(" ")}
      ${range(n)
        .map(
          (i) =>
            `let p${i} = ${score(`ty * ${n}u + ${i}u`)}; ${each
              .map((e) => `${name}${i}_${e} = fma(vec4<f32>(p${i}), v${e}, ${name}${i}_${e});`)
              .join(" ")}`,
        )
        .join("\n      ")}
    }`;
}

function declareSums({ tokens }: AttentionTile, names: readonly string[]): string {
  const n = tokens / side;
  return range(n)
    .flatMap((i) => names.map((name) => `var ${name}${i} = ${vector(n)}(0.0);`))
    .join(" ");
}

function declareRows({ tokens, quads }: AttentionTile, name: string): string {
  return range(tokens / side)
    .flatMap((i) => range(quads / side).map((e) => `var ${name}${i}_${e} = vec4<f32>();`))
    .join(" ");
}

/** Writes a thread's rows of `name`, so many elements at once: `write` tells where, by `row` and `i`. */
function writeRows(
  { tokens, quads }: AttentionTile,
  name: string,
  write: (value: string, next: string) => string,
  lanes: 1 | 2 = 1,
): string {
  const [n, each] = [tokens / side, quads / side];
  const all = range(n).flatMap((i) => range(each).map((e) => `${name}${i}_${e}`));
  return `var ${name} = array<vec4<f32>, ${all.length}>(${all.join(", ")});
  for (var r = 0u; r < ${n}u; r++) {
    let token = first + ty * ${n}u + r;
    if (token < count) {
      let row = origin + token;
      for (var c = 0u; c < ${4 * each}u; c += ${lanes}u) {
        let i = ((c / 4u) * ${side}u + tx) * 4u + (c & 3u);
        let four = ${name}[r * ${each}u + c / 4u];
        if (i < u.width) { ${write("four[c & 3u]", "four[(c & 3u) + 1u]")} }
      }
    }
  }`;
}

/**
 * Attention of a tile of queries to all tokens of its sequence, one tile of keys after the other,
 * the softmax kept up to date (Dao et al. 2022). Also gives the logarithms of the softmax's sums:
 * behind the rows in `mixed`, `[heads]` for each row. With halves both the rows that it reads and
 * those that it gives are such, of heads of an even width.
 */
export function attentionProgram(tile: AttentionTile, segments: number, isHalf: boolean): Program {
  const { tokens, quads } = tile;
  const n = tokens / side;
  return {
    name: `attention ${quads} ${segments} ${isHalf}`,
    reads: ["qkv"],
    writes: ["mixed"],
    halves: isHalf ? ["qkv", "mixed"] : [],
    scalars: { rows: "u32", ...scalarsFor(segments) },
    workgroupSize: [side, side],
    declarations: declarations(tile, segments, ["queries", "keys"]),
    body: `${begin}
  ${declareRows(tile, "y")}
  ${range(n)
    .map((i) => `var most${i} = -3e38; var sum${i} = 0.0;`)
    .join(" ")}
  for (var other = 0u; other < count; other += ${tokens}u) {
    ${declareSums(tile, ["s"])}
    for (var begun = 0u; begun < u.width; begun += ${depth}u) {
      ${fillChunk(tile, "queries", "first", "packed(origin + token, 0u, head, i)")}
      ${fillChunk(tile, "keys", "other", "packed(origin + token, 1u, head, i)")}
      workgroupBarrier();
      ${accumulateScores(tile, [["s", "queries", "keys"]])}
      workgroupBarrier();
    }
    let isThere = other + ${places(n)} < ${unsigned(n)}(count);
    ${range(n)
      .map(
        (i) => `s${i} = select(${vector(n)}(-3e38), s${i} * u.scale, isThere);
    scores[(ty * ${n}u + ${i}u) * ${side}u + tx] = ${parts(`s${i}`, n).reduce((a, b) => `max(${a}, ${b})`)};`,
      )
      .join("\n    ")}
    workgroupBarrier();
    ${range(n)
      .map(
        (i) => `var next${i} = most${i};
    for (var k = 0u; k < ${side}u; k++) { next${i} = max(next${i}, scores[(ty * ${n}u + ${i}u) * ${side}u + k]); }
    let shrink${i} = exp(most${i} - next${i});
    most${i} = next${i};
    s${i} = exp(s${i} - ${vector(n)}(most${i}));
    sum${i} = sum${i} * shrink${i} + ${parts(`s${i}`, n).join(" + ")};
    ${range(quads / side)
      .map((e) => `y${i}_${e} *= shrink${i};`)
      .join(" ")}`,
      )
      .join("\n    ")}
    workgroupBarrier();
    ${storeScores(tile, "s")}
    ${fillTile(tile, "other", (i) => `packed(origin + token, 2u, head, ${i})`)}
    workgroupBarrier();
    ${accumulateTile(tile, "y", (row) => `scores[(${row}) * ${tokens}u + k]`)}
    workgroupBarrier();
  }
  ${range(n)
    .map((i) => `scores[(ty * ${n}u + ${i}u) * ${side}u + tx] = sum${i};`)
    .join("\n  ")}
  workgroupBarrier();
  ${range(n)
    .map(
      (i) => `var all${i} = 0.0;
  for (var k = 0u; k < ${side}u; k++) { all${i} += scores[(ty * ${n}u + ${i}u) * ${side}u + k]; }
  if (tx == 0u && first + ty * ${n}u + ${i}u < count) {
    let row = origin + first + ty * ${n}u + ${i}u;
    ${logAt(isHalf)} = ${isHalf ? "bitcast<u32>" : ""}(most${i} + log(all${i}));
  }`,
    )
    .join("\n  ")}
  ${range(n)
    .flatMap((i) => range(quads / side).map((e) => `y${i}_${e} /= all${i};`))
    .join(" ")}
  ${writeRows(
    tile,
    "y",
    (value, next) =>
      isHalf
        ? `mixed[(row * u.heads * u.width + head * u.width + i) >> 1u] = halvesOf(vec2<f32>(${value}, ${next}));`
        : `mixed[row * u.heads * u.width + head * u.width + i] = ${value};`,
    isHalf ? 2 : 1,
  )}`,
  };
}

/** Where in `mixed` the logarithm of a row and head lies: a number, or with halves a word. */
function logAt(isHalf: boolean): string {
  return `mixed[u.rows * u.heads * u.width ${isHalf ? "/ 2u " : ""}+ row * u.heads + head]`;
}

/** Rows `[rows, heads * width]`, and behind them numbers `[rows, heads]`. */
const apart = (name: string) =>
  `${name}[(origin + token) * u.heads * u.width + head * u.width + i]`;

/** The sums of the products of a tile's rows of `dy` and `mixed`, and the logarithms, by thread. */
function rowNumbers({ tokens }: AttentionTile, firstToken: string, isHalf: boolean): string {
  const n = tokens / side;
  return range(n)
    .map(
      (i) => `var log${i} = 0.0; var along${i} = 0.0;
    if (${firstToken} + ty * ${n}u + ${i}u < count) {
      let row = origin + ${firstToken} + ty * ${n}u + ${i}u;
      log${i} = ${isHalf ? "bitcast<f32>" : ""}(${logAt(isHalf)});
      along${i} = alongs[row * u.heads + head];
    }`,
    )
    .join("\n    ");
}

/**
 * The same of the group's own tile, where the products are still to be summed up: eight threads
 * share a row. They are written to `alongs`, `[rows, heads]`, for others to read.
 */
function sumAlongs({ tokens }: AttentionTile, isHalf: boolean): string {
  const n = tokens / side;
  const all = range(n);
  return `${all
    .map(
      (i) => `var log${i} = 0.0; var along${i} = 0.0;
  if (first + ty * ${n}u + ${i}u < count) {
    let row = origin + first + ty * ${n}u + ${i}u;
    log${i} = ${isHalf ? "bitcast<f32>" : ""}(${logAt(isHalf)});
    for (var i = tx; i < u.width; i += ${side}u) {
      let at = (row * u.heads + head) * u.width + i;
      along${i} += dy[at] * mixedAt(at);
    }
  }
  scores[(ty * ${n}u + ${i}u) * ${side}u + tx] = along${i};`,
    )
    .join("\n  ")}
  workgroupBarrier();
  ${all
    .map(
      (i) => `along${i} = 0.0;
  for (var k = 0u; k < ${side}u; k++) { along${i} += scores[(ty * ${n}u + ${i}u) * ${side}u + k]; }
  if (tx == 0u && first + ty * ${n}u + ${i}u < count) {
    alongs[(origin + first + ty * ${n}u + ${i}u) * u.heads + head] = along${i};
  }`,
    )
    .join("\n  ")}
  workgroupBarrier();`;
}

/** The probabilities and their gradients' slopes of two tiles, `p` and `t`, begun `s` and `t`. */
function slopes({ tokens }: AttentionTile, query: string, key: string): string {
  const n = tokens / side;
  return `let isThere = ${key} + ${places(n)} < ${unsigned(n)}(count);
    ${range(n)
      .map(
        (i) =>
          `let p${i} = select(${vector(n)}(0.0), exp(s${i} * u.scale - ${vector(n)}(log${i})), isThere & ${unsigned(n).replace("u32", "bool")}(${query} + ty * ${n}u + ${i}u < count));
    t${i} = p${i} * (t${i} - ${vector(n)}(along${i})) * u.scale;`,
      )
      .join("\n    ")}`;
}

function storeScores({ tokens }: AttentionTile, name: string): string {
  const n = tokens / side;
  return range(n)
    .flatMap((i) =>
      parts(`${name}${i}`, n).map(
        (value, j) => `scores[(ty * ${n}u + ${i}u) * ${tokens}u + tx * ${n}u + ${j}u] = ${value};`,
      ),
    )
    .join("\n    ");
}

function scoresOf(tile: AttentionTile, query: string, key: string): string {
  return `${declareSums(tile, ["s", "t"])}
    for (var begun = 0u; begun < u.width; begun += ${depth}u) {
      ${fillChunk(tile, "queries", query, "packed(origin + token, 0u, head, i)")}
      ${fillChunk(tile, "keys", key, "packed(origin + token, 1u, head, i)")}
      ${fillChunk(tile, "wanted", query, apart("dy"))}
      ${fillChunk(tile, "values", key, "packed(origin + token, 2u, head, i)")}
      workgroupBarrier();
      ${accumulateScores(tile, [
        ["s", "queries", "keys"],
        ["t", "wanted", "values"],
      ])}
      workgroupBarrier();
    }`;
}

/** Where the gradient of queries, keys or values lies. */
const part = (which: number) =>
  `dQkv[(row * 3u + ${which}u) * u.heads * u.width + head * u.width + i]`;

const chunks = ["queries", "keys", "wanted", "values"];

/** The gradient of a tile of queries, into its part of `dQkv`; and `alongs`, which that of the keys needs. */
export function attentionQueriesProgram(
  tile: AttentionTile,
  segments: number,
  isHalf: boolean,
): Program {
  const { tokens } = tile;
  return {
    name: `attentionQueries ${tile.quads} ${segments} ${isHalf}`,
    halves: isHalf ? ["qkv", "mixed"] : [],
    reads: ["qkv", "dy", "mixed"],
    writes: ["dQkv", "alongs"],
    scalars: { rows: "u32", ...scalarsFor(segments) },
    workgroupSize: [side, side],
    declarations: declarations(tile, segments, chunks),
    body: `${begin}
  ${declareRows(tile, "y")}
  ${sumAlongs(tile, isHalf)}
  for (var other = 0u; other < count; other += ${tokens}u) {
    ${scoresOf(tile, "first", "other")}
    ${slopes(tile, "first", "other")}
    ${storeScores(tile, "t")}
    ${fillTile(tile, "other", (i) => `packed(origin + token, 1u, head, ${i})`)}
    workgroupBarrier();
    ${accumulateTile(tile, "y", (row) => `scores[(${row}) * ${tokens}u + k]`)}
    workgroupBarrier();
  }
  ${writeRows(tile, "y", (value) => `${part(0)} = ${value};`)}`,
  };
}

/** The gradients of a tile of keys and of its values, into their parts of `dQkv`. */
export function attentionKeysProgram(
  tile: AttentionTile,
  segments: number,
  isHalf: boolean,
): Program {
  const { tokens } = tile;
  return {
    name: `attentionKeys ${tile.quads} ${segments} ${isHalf}`,
    halves: isHalf ? ["qkv", "mixed"] : [],
    reads: ["qkv", "dy", "mixed", "alongs"],
    writes: ["dQkv"],
    scalars: { rows: "u32", ...scalarsFor(segments) },
    workgroupSize: [side, side],
    declarations: declarations(tile, segments, chunks),
    body: `${begin}
  ${declareRows(tile, "dKeys")}
  ${declareRows(tile, "dValues")}
  for (var other = 0u; other < count; other += ${tokens}u) {
    ${rowNumbers(tile, "other", isHalf)}
    ${scoresOf(tile, "other", "first")}
    ${slopes(tile, "other", "first")}
    ${storeScores(tile, "p")}
    ${fillTile(tile, "other", (i) => apart("dy").replace("+ i]", `+ ${i}]`))}
    workgroupBarrier();
    ${accumulateTile(tile, "dValues", (row) => `scores[k * ${tokens}u + ${row}]`)}
    workgroupBarrier();
    ${storeScores(tile, "t")}
    ${fillTile(tile, "other", (i) => `packed(origin + token, 0u, head, ${i})`)}
    workgroupBarrier();
    ${accumulateTile(tile, "dKeys", (row) => `scores[k * ${tokens}u + ${row}]`)}
    workgroupBarrier();
  }
  ${writeRows(tile, "dKeys", (value) => `${part(1)} = ${value};`)}
  ${writeRows(tile, "dValues", (value) => `${part(2)} = ${value};`)}`,
  };
}
