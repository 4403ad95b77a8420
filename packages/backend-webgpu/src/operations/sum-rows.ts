import type * as tf from "@tensorflow/tfjs-core";
import { remembered } from "../remembered.ts";
import { columnsOfGroup, sumRowsProgram } from "../shaders/rows.ts";
import type { DinoWebGPUBackend } from "../webgpu-backend.ts";

const program = remembered(sumRowsProgram);

/** The most rows that a group adds up; more are shared by several. */
const most = 1024;

/** From how many rows on several threads share a column. */
const many = 64;

export interface Rows {
  readonly x: tf.TensorInfo;
  /** Where in `x` the first row begins. */
  readonly startX?: number;
  readonly rows: number;
  readonly columns: number;
}

/** Records the sum of rows into `y`; where there is a `rest`, that takes the columns behind `y`'s. */
export function sumRows(
  backend: DinoWebGPUBackend,
  { x, startX = 0, rows, columns }: Rows,
  y: tf.TensorInfo,
  rest?: { readonly tensor: tf.TensorInfo; readonly split: number },
): void {
  const chunks = Math.ceil(rows / most);
  if (chunks > 1) {
    const rowsOfChunk = Math.ceil(rows / chunks);
    const parts = backend.output([Math.ceil(rows / rowsOfChunk), columns]);
    record({ x, startX, rows, columns }, parts, rowsOfChunk);
    sumRows(backend, { x: parts, rows: parts.shape[0] as number, columns }, y, rest);
    backend.free(parts);
    return;
  }
  record({ x, startX, rows, columns }, y, rows, rest);

  function record(
    from: Required<Rows>,
    to: tf.TensorInfo,
    rowsOfChunk: number,
    behind?: typeof rest,
  ): void {
    const shares = rowsOfChunk >= many;
    backend.run(program(behind !== undefined, shares), {
      reads: [from.x],
      writes: behind ? [to, behind.tensor] : [to],
      scalars: {
        rows: from.rows,
        columns: from.columns,
        rowsOfChunk,
        split: behind?.split ?? from.columns,
        startX: from.startX,
      },
      groups: Math.ceil(from.columns / columnsOfGroup(shares)) * Math.ceil(from.rows / rowsOfChunk),
    });
  }
}
