import type { Program } from "../program.ts";
import { type ConvolutionProduct, convolutionOperands, convolutionScalars } from "./convolution.ts";
import { geluFunctions } from "./gelu.ts";

/** Sizes of the tile of outputs that a group of threads computes. */
export interface Tile {
  readonly threads: readonly [rows: number, columns: number];
  /** Outputs of a thread in fours, down and across: 2 are eight rows or columns. */
  readonly fours: number;
  /** Steps of the inner dimension at once. */
  readonly depth: number;
}

/**
 * How an operand that is multiplied as halves lies in memory: as such, or as float32, which is
 * rounded on the way into the tile.
 */
export type Half = "stored" | "rounded";

/** A product and what is done to it before it is written. */
export interface MatMul {
  readonly tile: Tile;
  /** Whether `a` lies as `[inner, rows]`, and not `[rows, inner]`. */
  readonly transposeA: boolean;
  /** Whether `b` lies as `[columns, inner]`, and not `[inner, columns]`. */
  readonly transposeB: boolean;
  /** Operands that are multiplied as halves, and outputs that are kept as such: of an even number of columns. */
  readonly halves?: {
    readonly a?: Half;
    readonly b?: Half;
    readonly y?: boolean;
    readonly before?: boolean;
  };
  /** The product of a convolution, whose operands are gathered from pictures. */
  readonly convolution?: ConvolutionProduct;
  /** Whether each of the batch is a share of the inner dimension, whose products are to be added up. */
  readonly shares?: boolean;
  /** Whether `b` stands for its GELU. */
  readonly geluOfB?: boolean;
  /** Whether `a` is multiplied by `innerFactors` along the inner dimension. */
  readonly innerFactors?: boolean;
  /** Whether the sums of `a` over the inner dimension are written too, to `sums`. */
  readonly sumsOfA?: boolean;
  /** Whether `bias` is added to every row. */
  readonly bias?: boolean;
  readonly activation?: "none" | "gelu" | "relu";
  /** Whether what is before the activation is written too, to `before`. */
  readonly keepsBefore?: boolean;
  /** Whether it is multiplied by the activation's slope at `before`. */
  readonly slope?: "gelu" | "relu";
  /** Whether each row, or each column, is multiplied by its `factors`. */
  readonly factors?: "rows" | "columns";
  /** Whether `onto` is added at last, again and again where it is smaller. */
  readonly residual?: boolean;
}

/**
 * `[batch, rows, inner]` times `[batch, inner, columns]`. Every thread computes a square of outputs
 * in registers from tiles in the group's memory; the batch is `group` beyond the tiles.
 */
export function matMulProgram(options: MatMul): Program {
  const { tile, transposeA, transposeB, geluOfB, innerFactors, sumsOfA } = options;
  const { bias, activation = "none", keepsBefore, slope, factors, residual } = options;
  const { halves = {}, convolution, shares } = options;
  const gathered = convolution && convolutionOperands[convolution];
  // Halves are written two at a time, because a word is the least that can be.
  const lanes = halves.y || (keepsBefore && halves.before) ? 2 : 1;
  const { threads, fours, depth } = tile;
  const [down, across] = threads;
  const count = down * across;
  const [tileRows, tileColumns] = [4 * fours * down, 4 * fours * across];
  const loads = (side: number) => Math.ceil((depth * side) / 4 / count);
  const needsGelu = activation === "gelu" || slope === "gelu" || geluOfB;

  const type = lanes === 2 ? "vec2<f32>" : "f32";
  /** A value for each of the elements written at once, from what is added to a place and from the value before. */
  const of = (value: (plus: string, lane: string) => string) =>
    lanes === 2
      ? `vec2<f32>(${value("", "value.x")}, ${value(" + 1u", "value.y")})`
      : value("", "value");
  const put = (to: string, isHalf = false) => {
    if (isHalf) return `${to}[at >> 1u] = halvesOf(value);`;
    return lanes === 2 ? `${to}[at] = value.x; ${to}[at + 1u] = value.y;` : `${to}[at] = value;`;
  };
  const each = <T>(n: number, f: (i: number) => T): T[] =>
    Array.from({ length: n }, (_, i) => f(i));
  const rows = each(4 * fours, (i) => i);
  const columns = each(fours, (j) => j);

  return {
    name: `matMul ${JSON.stringify(options)}`,
    reads: [
      "a",
      "b",
      ...(innerFactors ? ["innerFactors"] : []),
      ...(bias ? ["bias"] : []),
      ...(slope ? ["before"] : []),
      ...(factors ? ["factors"] : []),
      ...(residual ? ["onto"] : []),
    ],
    writes: ["y", ...(keepsBefore ? ["before"] : []), ...(sumsOfA ? ["sums"] : [])],
    halves: [
      ...(halves.a === "stored" ? ["a"] : []),
      ...(halves.b === "stored" ? ["b"] : []),
      ...(halves.y ? ["y"] : []),
      ...((keepsBefore || slope) && halves.before ? ["before"] : []),
    ],
    scalars: {
      rows: "u32",
      columns: "u32",
      inner: "u32",
      /** Where `a`, `b` and `y` begin, and how far their batches lie apart. */
      startA: "u32",
      startB: "u32",
      startY: "u32",
      startBias: "u32",
      batchA: "u32",
      batchB: "u32",
      batchY: "u32",
      /** How far apart the rows of `a` and `b` lie as they are stored. */
      strideA: "u32",
      strideB: "u32",
      batch: "u32",
      /** How many elements `onto` has. */
      period: "u32",
      ...(shares && { share: "u32" }),
      ...(convolution && convolutionScalars),
    },
    workgroupSize: [across, down],
    declarations: `
${tileMemory("A", (depth * tileRows) / 4, halves.a !== undefined)}
${tileMemory("B", (depth * tileColumns) / 4, halves.b !== undefined)}
${needsGelu ? geluFunctions : ""}
${gathered?.functions ?? ""}
fn elementA(start: u32, row: u32, k: u32) -> f32 {
  if (row >= u.rows || k >= u.inner) { return 0.0; }
  let value = ${gathered?.a ?? `aAt(start + ${transposeA ? "k * u.strideA + row" : "row * u.strideA + k"})`};
  return ${innerFactors ? "value * innerFactors[k]" : "value"};
}
fn elementB(start: u32, k: u32, column: u32) -> f32 {
  if (column >= u.columns || k >= u.inner) { return 0.0; }
  let value = ${gathered?.b ?? `bAt(start + ${transposeB ? "column * u.strideB + k" : "k * u.strideB + column"})`};
  return ${geluOfB ? "gelu(value)" : "value"};
}
fn write(start: u32, row: u32, column: u32, product: ${type}) {
  if (row >= u.rows || column >= u.columns) { return; }
  let at = start + ${gathered?.y ?? "row * u.columns + column"};
  var value = product;
  ${bias ? `value += ${of((i) => `bias[u.startBias + column${i}]`)};` : ""}
  ${keepsBefore ? put("before", halves.before) : ""}
  ${activation === "gelu" ? `value = ${of((_, lane) => `gelu(${lane})`)};` : ""}
  ${activation === "relu" ? `value = max(value, ${type}(0.0));` : ""}
  ${slope === "gelu" ? `value *= ${of((i) => `geluSlope(beforeAt(at${i}))`)};` : ""}
  ${slope === "relu" ? `value = ${of((i, lane) => `select(0.0, ${lane}, beforeAt(at${i}) > 0.0)`)};` : ""}
  ${factors ? `value *= ${of((i) => `factors[${factors === "rows" ? "row" : `column${i}`}]`)};` : ""}
  ${residual ? `value += ${of((i) => `onto[(at${i}) % u.period]`)};` : ""}
  ${put("y", halves.y)}
}`,
    body: `
  let acrossTiles = (u.columns + ${tileColumns - 1}u) / ${tileColumns}u;
  let tiles = acrossTiles * ((u.rows + ${tileRows - 1}u) / ${tileRows}u);
  let sample = group / tiles;
  if (sample >= u.batch) { return; }
  let tile = group % tiles;
  let firstRow = (tile / acrossTiles) * ${tileRows}u;
  let firstColumn = (tile % acrossTiles) * ${tileColumns}u;
  let startA = u.startA + sample * u.batchA;
  let startB = u.startB + sample * u.batchB;
  ${rows.map((i) => columns.map((j) => `var y${i}_${j} = vec4<f32>();`).join(" ")).join("\n  ")}
  ${sumsOfA ? columns.map((j) => `var sum${j} = vec4<f32>();`).join(" ") : ""}
  ${shares ? "let begun = sample * u.share; let end = min(begun + u.share, u.inner);" : "let begun = 0u; let end = u.inner;"}
  for (var first = begun; first < end; first += ${depth}u) {
    ${fill("A", tileRows, transposeA, loads(tileRows), tile)}
    ${fill("B", tileColumns, !transposeB, loads(tileColumns), tile)}
    workgroupBarrier();
    for (var k = 0u; k < ${depth}u; k++) {
      ${columns.map((j) => `let a${j} = ofTileA(k * ${tileRows / 4}u + ${j * down}u + local.y);`).join("\n      ")}
      ${columns.map((j) => `let b${j} = ofTileB(k * ${tileColumns / 4}u + ${j * across}u + local.x);`).join("\n      ")}
      ${rows
        .map((i) =>
          columns
            .map((j) => `y${i}_${j} = fma(vec4<f32>(a${i >> 2}[${i & 3}]), b${j}, y${i}_${j});`)
            .join(" "),
        )
        .join("\n      ")}
      ${sumsOfA ? columns.map((j) => `sum${j} += a${j};`).join(" ") : ""}
    }
    workgroupBarrier();
  }
  let startY = u.startY + sample * u.batchY;
  // In a loop: the code of what follows a product would otherwise be there for every output.
  var products = array<vec4<f32>, ${4 * fours * fours}>(${rows
    .flatMap((i) => columns.map((j) => `y${i}_${j}`))
    .join(", ")});
  ${sumsOfA ? `var sums4 = array<vec4<f32>, ${fours}>(${columns.map((j) => `sum${j}`).join(", ")});` : ""}
  for (var i = 0u; i < ${4 * fours}u; i++) {
    let row = firstRow + (i / 4u) * ${4 * down}u + 4u * local.y + (i & 3u);
    for (var j = 0u; j < ${4 * fours}u; j += ${lanes}u) {
      let column = firstColumn + (j / 4u) * ${4 * across}u + 4u * local.x + (j & 3u);
      let four = products[i * ${fours}u + j / 4u];
      write(startY, row, column, ${lanes === 2 ? "vec2<f32>(four[j & 3u], four[(j & 3u) + 1u])" : "four[j & 3u]"});
    }
    ${
      sumsOfA
        ? `if (firstColumn == 0u && local.x == 0u && row < u.rows) {
      sums[u.startBias + row] = sums4[i / 4u][i & 3u];
    }`
        : ""
    }
  }`,
  };
}

/** A tile of fours of numbers, or of halves; how one goes into it, and comes out of it. */
function tileMemory(name: "A" | "B", size: number, isHalf: boolean): string {
  const [type, put, get] = isHalf
    ? [
        "vec2<u32>",
        "vec2<u32>(halvesOf(four.xy), halvesOf(four.zw))",
        `vec4<f32>(unpack2x16float(tile${name}[i].x), unpack2x16float(tile${name}[i].y))`,
      ]
    : ["vec4<f32>", "four", `tile${name}[i]`];
  return `var<workgroup> tile${name}: array<${type}, ${size}>;
fn intoTile${name}(i: u32, four: vec4<f32>) { tile${name}[i] = ${put}; }
fn ofTile${name}(i: u32) -> vec4<f32> { return ${get}; }`;
}

/**
 * Fills a tile `[depth, side]`, four elements along the side at once. Neighbouring threads read
 * neighbouring memory: along the side where that is how the matrix lies, else along the depth.
 */
function fill(
  name: "A" | "B",
  side: number,
  alongSide: boolean,
  loads: number,
  { threads, depth }: Tile,
): string {
  const count = threads[0] * threads[1];
  const quads = side / 4;
  const first = name === "A" ? "firstRow" : "firstColumn";
  const element = (i: number) => {
    const at = `${first} + 4u * quad + ${i}u`;
    return name === "A"
      ? `elementA(startA, ${at}, first + k)`
      : `elementB(startB, first + k, ${at})`;
  };
  const [k, quad] = alongSide
    ? [`slot / ${quads}u`, `slot % ${quads}u`]
    : [`slot % ${depth}u`, `slot / ${depth}u`];
  return `for (var load = 0u; load < ${loads}u; load++) {
      let slot = load * ${count}u + thread;
      if (slot < ${depth * quads}u) {
        let k = ${k};
        let quad = ${quad};
        intoTile${name}(k * ${quads}u + quad, vec4<f32>(${[0, 1, 2, 3].map(element).join(", ")}));
      }
    }`;
}
