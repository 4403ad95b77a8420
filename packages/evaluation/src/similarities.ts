import * as tf from "@tensorflow/tfjs-core";
import { giveWay, type LongCall } from "./long-call.ts";

/** Rows of length 1. */
export interface UnitRows {
  /** `count * dim` values. */
  readonly unit: Float32Array;
  readonly count: number;
  readonly dim: number;
}

/** The cosine similarities of some queries with some rows. */
export interface SimilarityBlock {
  /** `[queries, rows]`. */
  readonly values: Float32Array;
  readonly firstQuery: number;
  readonly queries: number;
  readonly firstRow: number;
  readonly rows: number;
}

/** Values in a block of similarities, and in a block of rows, at most: 64 and 128 MiB. */
const blockValues = 2 ** 24;
const blockRowValues = 2 ** 25;

/**
 * All cosine similarities between `queries` and `rows`, block by block, since together they may
 * not fit into memory. A query meets the rows in their order.
 */
export async function* similarities(
  queries: UnitRows,
  rows: UnitRows,
  { signal, onProgress }: LongCall,
): AsyncGenerator<SimilarityBlock, void> {
  const { dim } = rows;
  const rowStep = Math.min(rows.count, 2 ** 16, Math.max(1, Math.floor(blockRowValues / dim)));
  const queryStep = Math.min(queries.count, Math.floor(blockValues / rowStep));
  const total = queries.count * rows.count;
  let done = 0;
  for (let firstRow = 0; firstRow < rows.count; firstRow += rowStep) {
    const part = slice(rows, firstRow, rowStep);
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

/** In plain JavaScript: five times as fast as the matMul of tfjs's own JavaScript backend. */
function onHost({ unit, count, dim }: UnitRows): Product {
  return {
    by: async (queries) => {
      const values = new Float32Array(queries.count * count);
      for (let query = 0; query < queries.count; query += 4) {
        fourQueries(queries, query, unit, count, dim, values);
      }
      return values;
    },
    dispose: () => {},
  };
}

/** Four queries at once read the rows once for all four. The last is repeated where four lack. */
function fourQueries(
  { unit: queries, count: queryCount }: UnitRows,
  first: number,
  rows: Float32Array,
  count: number,
  dim: number,
  values: Float32Array,
): void {
  const last = queryCount - 1;
  const [a, b, c, d] = [first, first + 1, first + 2, first + 3].map((i) => Math.min(i, last)) as [
    number,
    number,
    number,
    number,
  ];
  const [fromA, fromB, fromC, fromD] = [a * dim, b * dim, c * dim, d * dim];
  for (let row = 0; row < count; row++) {
    const from = row * dim;
    let [sumA, sumB, sumC, sumD] = [0, 0, 0, 0];
    for (let i = 0; i < dim; i++) {
      const value = rows[from + i] as number;
      sumA += (queries[fromA + i] as number) * value;
      sumB += (queries[fromB + i] as number) * value;
      sumC += (queries[fromC + i] as number) * value;
      sumD += (queries[fromD + i] as number) * value;
    }
    values[a * count + row] = sumA;
    values[b * count + row] = sumB;
    values[c * count + row] = sumC;
    values[d * count + row] = sumD;
  }
}

function slice({ unit, count, dim }: UnitRows, first: number, length: number): UnitRows {
  const end = Math.min(first + length, count);
  return { unit: unit.subarray(first * dim, end * dim), count: end - first, dim };
}
