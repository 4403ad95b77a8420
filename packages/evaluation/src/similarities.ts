import * as tf from "@tensorflow/tfjs-core";
import { giveWay, type LongCall } from "./long-call.ts";
import type { UnitRows, UnitSource } from "./unit-rows.ts";

/** The cosine similarities of some queries with some rows. */
export interface SimilarityBlock {
  /** `[queries, rows]`. */
  readonly values: Float32Array;
  readonly firstQuery: number;
  readonly queries: number;
  readonly firstRow: number;
  readonly rows: number;
}

/** Values in a block of similarities, and in a block of rows, at most: 64 MiB each. */
const blockValues = 2 ** 24;

/**
 * All cosine similarities between `queries` and `rows`, block by block, since neither they nor the
 * rows may fit into memory. A query meets the rows in their order.
 */
export async function* similarities(
  queries: UnitRows,
  rows: UnitSource,
  { signal, onProgress }: LongCall,
): AsyncGenerator<SimilarityBlock, void> {
  const rowStep = Math.min(2 ** 15, Math.max(1, Math.floor(blockValues / rows.dim)));
  const queryStep = Math.floor(blockValues / Math.min(rowStep, rows.count));
  const total = queries.count * rows.count;
  let done = 0;
  for await (const { part, firstRow } of blocks(rows, rowStep)) {
    const multiply = tf.getBackend() === "cpu" ? onHost(part) : onBackend(part);
    try {
      for (let firstQuery = 0; firstQuery < queries.count; firstQuery += queryStep) {
        signal?.throwIfAborted();
        const some = slice(queries, firstQuery, queryStep);
        const values = await multiply.by(some);
        yield { values, firstQuery, queries: some.count, firstRow, rows: part.count };
        done += some.count * part.count;
        onProgress?.({ done, total });
        await giveWay();
      }
    } finally {
      multiply.dispose();
    }
  }
}

/** The rows in parts. The next one is being read while this one is worked on. */
async function* blocks(
  rows: UnitSource,
  step: number,
): AsyncGenerator<{ readonly part: UnitRows; readonly firstRow: number }, void> {
  const read = (first: number) => {
    const part = rows.read(first, Math.min(step, rows.count - first));
    part.catch(() => {}); // told of below, where it is waited for
    return part;
  };
  let next = read(0);
  for (let firstRow = 0; firstRow < rows.count; firstRow += step) {
    const part = await next;
    if (firstRow + step < rows.count) next = read(firstRow + step);
    yield { part, firstRow };
  }
}

/** Products of many sets of queries with one set of rows: `[queries, rows]`. */
interface Product {
  by(queries: UnitRows): Promise<Float32Array>;
  dispose(): void;
}

function onBackend({ unit, count, dim }: UnitRows): Product {
  // Transposed once: the wasm backend multiplies plain matrices alone at full speed, and keeps
  // the right one packed for as long as the tensor lives.
  const transposed = tf.tidy(() => tf.transpose(tf.tensor2d(unit, [count, dim]))); // [dim, rows]
  return {
    by: async (queries) => {
      const product = tf.tidy(() =>
        tf.matMul(tf.tensor2d(queries.unit, [queries.count, dim]), transposed),
      );
      try {
        return await product.data<"float32">();
      } finally {
        tf.dispose(product);
      }
    },
    dispose: () => tf.dispose(transposed),
  };
}

/** In plain JavaScript: four times as fast as the matMul of tfjs's own JavaScript backend. */
function onHost(rows: UnitRows): Product {
  return {
    by: async (queries) => {
      const values = new Float32Array(queries.count * rows.count);
      for (let query = 0; query < queries.count; query += 4) {
        for (let row = 0; row < rows.count; row += 2) fourByTwo(queries, query, rows, row, values);
      }
      return values;
    },
    dispose: () => {},
  };
}

/**
 * Four queries times two rows: eight sums at a time keep a processor busy, and share what they
 * read. Past the end the last query or row is taken again, which writes the same values again.
 */
function fourByTwo(
  { unit: queries, count: queryCount, dim }: UnitRows,
  query: number,
  { unit: rows, count }: UnitRows,
  row: number,
  values: Float32Array,
): void {
  const b = Math.min(query + 1, queryCount - 1);
  const c = Math.min(query + 2, queryCount - 1);
  const d = Math.min(query + 3, queryCount - 1);
  const y = Math.min(row + 1, count - 1);
  const [fromA, fromB, fromC, fromD] = [query * dim, b * dim, c * dim, d * dim];
  const [fromX, fromY] = [row * dim, y * dim];
  let [ax, bx, cx, dx] = [0, 0, 0, 0];
  let [ay, by, cy, dy] = [0, 0, 0, 0];
  for (let i = 0; i < dim; i++) {
    const ofX = rows[fromX + i] as number;
    const ofY = rows[fromY + i] as number;
    const ofA = queries[fromA + i] as number;
    const ofB = queries[fromB + i] as number;
    const ofC = queries[fromC + i] as number;
    const ofD = queries[fromD + i] as number;
    ax += ofA * ofX;
    bx += ofB * ofX;
    cx += ofC * ofX;
    dx += ofD * ofX;
    ay += ofA * ofY;
    by += ofB * ofY;
    cy += ofC * ofY;
    dy += ofD * ofY;
  }
  values[query * count + row] = ax;
  values[b * count + row] = bx;
  values[c * count + row] = cx;
  values[d * count + row] = dx;
  values[query * count + y] = ay;
  values[b * count + y] = by;
  values[c * count + y] = cy;
  values[d * count + y] = dy;
}

function slice({ unit, count, dim }: UnitRows, first: number, length: number): UnitRows {
  const end = Math.min(first + length, count);
  return { unit: unit.subarray(first * dim, end * dim), count: end - first, dim };
}
