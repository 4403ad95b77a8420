import type {
  AttentionBlockAttributes,
  AttentionBlockInputs,
  ClassAttentionBlockSaved,
  ForBackward,
  ForGradient,
  Segment,
} from "@dino/ops";
import type * as tf from "@tensorflow/tfjs-core";
import { type Heap, type Matrix, matrix, transposed } from "../heap.ts";
import type { Address } from "../kernels.ts";
import { type WasmKernel, wasmKernel } from "../wasm-kernel.ts";
import { affine, affineBack, weightBack } from "./affine.ts";
import { layerNorm, layerNormAgain, layerNormBack } from "./layer-norm.ts";
import { branchGradient, type Place, places, scaleSequences } from "./segments.ts";

/** The attention half of a block for the first token of every sequence alone. */
export const classAttentionBlockKernels: readonly WasmKernel[] = [
  wasmKernel<AttentionBlockInputs, AttentionBlockAttributes & ForGradient>(
    "DinoClassAttentionBlock",
    ({ inputs, attributes: { heads, segments, epsilon, forGradient }, heap }) => {
      const { x, normWeight: weight, normBias: bias, qkvWeight, qkvBias, pathScale } = inputs;
      const [rows, dim] = x.shape as [number, number];
      const { sequences, all } = totals(segments);
      const [normed, mean, inverseStd] = layerNorm(heap, { x, weight, bias }, epsilon);
      const [q, kv] = [heap.output([sequences, dim]), heap.output([rows, 2 * dim])];
      const [queryWeight, keyWeight] = [heap.at(qkvWeight), heap.at(qkvWeight) + 4 * dim * dim];
      for (const place of all) {
        heap.product(
          firstRows(heap.at(normed), place, dim),
          transposed(matrix(queryWeight, dim)),
          matrix(heap.at(q) + 4 * dim * place.sequence, dim),
          { rows: place.sequences, columns: dim, inner: dim },
          { bias: heap.at(qkvBias) },
        );
      }
      heap.product(
        matrix(heap.at(normed), dim),
        transposed(matrix(keyWeight, dim)),
        matrix(heap.at(kv), 2 * dim),
        { rows, columns: 2 * dim, inner: dim },
        { bias: heap.at(qkvBias) + 4 * dim },
      );
      heap.free(normed);
      const mixed = heap.output(q.shape);
      for (const place of all) attendFirst(heap, { q, kv, mixed }, place, heads, dim);
      const y = heap.output(q.shape);
      const out = heap.at(y);
      affine(heap, heap.at(mixed), inputs.projWeight, inputs.projBias, sequences, out);
      if (pathScale) {
        scaleSequences(heap, out, heap.at(pathScale), [{ sequences, tokens: 1 }], dim, out);
      }
      for (const place of all) {
        const from = firstRows(heap.at(x), place, dim);
        const to = out + 4 * dim * place.sequence;
        heap.kernels.addRuns(from.at, from.row, to, 4 * dim, place.sequences, dim);
      }
      if (forGradient) return [y, mean, inverseStd, q, kv, mixed];
      heap.free(mean, inverseStd, q, kv, mixed);
      return [y];
    },
  ),

  wasmKernel<ForBackward<ClassAttentionBlockSaved>, AttentionBlockAttributes>(
    "DinoClassAttentionBlockBackward",
    ({ inputs, attributes: { heads, segments }, heap }) => {
      const { dy, x, normWeight: weight, normBias: bias, mean, inverseStd } = inputs;
      const { q, kv, mixed, qkvWeight, projWeight, pathScale } = inputs;
      const [rows, dim] = x.shape as [number, number];
      const { sequences, all } = totals(segments);
      const branch = branchGradient(heap, dy, pathScale, [{ sequences, tokens: 1 }]);
      const dProj = weightBack(heap, branch.at, heap.at(mixed), projWeight, sequences);
      const dMixed = heap.output(q.shape);
      affineBack(heap, branch.at, projWeight, sequences, heap.at(dMixed));
      branch.free();
      const [dQ, dKv] = [heap.output(q.shape), heap.output(kv.shape)];
      for (const place of all) {
        attendFirstBack(heap, { q, kv, mixed: dMixed }, { q: dQ, kv: dKv }, place, heads, dim);
      }
      heap.free(dMixed);

      const normed = layerNormAgain(heap, { x, weight, bias, mean, inverseStd });
      const [dWeight, dBias] = [heap.output(qkvWeight.shape), heap.output([3 * dim])];
      heap.product(
        transposed(matrix(heap.at(dKv), 2 * dim)),
        matrix(heap.at(normed), dim),
        matrix(heap.at(dWeight) + 4 * dim * dim, dim),
        { rows: 2 * dim, columns: dim, inner: rows },
      );
      heap.kernels.sumRows(heap.at(dKv), 0, rows, 2 * dim, 8 * dim, heap.at(dBias) + 4 * dim);
      heap.kernels.sumRows(heap.at(dQ), 0, sequences, dim, 4 * dim, heap.at(dBias));
      all.forEach((place, i) => {
        heap.product(
          transposed(matrix(heap.at(dQ) + 4 * dim * place.sequence, dim)),
          firstRows(heap.at(normed), place, dim),
          matrix(heap.at(dWeight), dim),
          { rows: dim, columns: dim, inner: place.sequences },
          { accumulate: i > 0 },
        );
      });

      const dNormed = normed;
      const [queryWeight, keyWeight] = [heap.at(qkvWeight), heap.at(qkvWeight) + 4 * dim * dim];
      heap.product(
        matrix(heap.at(dKv), 2 * dim),
        matrix(keyWeight, dim),
        matrix(heap.at(dNormed), dim),
        { rows, columns: dim, inner: 2 * dim },
      );
      for (const place of all) {
        heap.product(
          matrix(heap.at(dQ) + 4 * dim * place.sequence, dim),
          matrix(queryWeight, dim),
          firstRows(heap.at(dNormed), place, dim),
          { rows: place.sequences, columns: dim, inner: dim },
          { accumulate: true },
        );
      }
      heap.free(dQ, dKv);
      const [dx, ...dNorm] = layerNormBack(heap, { dy: dNormed, x, weight, mean, inverseStd });
      heap.free(dNormed);
      for (const place of all) {
        const to = firstRows(heap.at(dx), place, dim);
        const from = heap.at(dy) + 4 * dim * place.sequence;
        heap.kernels.addRuns(from, 4 * dim, to.at, to.row, place.sequences, dim);
      }
      return [dx, ...dNorm, dWeight, dBias, ...dProj];
    },
  ),
];

function totals(segments: readonly Segment[]): {
  readonly sequences: number;
  readonly all: readonly Place[];
} {
  return {
    sequences: segments.reduce((sum, each) => sum + each.sequences, 0),
    all: places(segments),
  };
}

/** The first row of every sequence, among rows of so many values. */
function firstRows(rows: Address, { row, tokens }: Place, dim: number): Matrix {
  return { at: rows + 4 * dim * row, row: 4 * dim * tokens, column: 4 };
}

interface Rows {
  /** `[sequences, dim]` */
  readonly q: tf.TensorInfo;
  /** Keys, then values, `[rows, 2 * dim]`. */
  readonly kv: tf.TensorInfo;
}

function attendFirst(
  heap: Heap,
  { q, kv, mixed }: Rows & { readonly mixed: tf.TensorInfo },
  { sequence, row, sequences, tokens }: Place,
  heads: number,
  dim: number,
): void {
  const scratch = heap.scratch(heap.kernels.attentionScratch(tokens));
  const own = 4 * dim * sequence;
  const k = heap.at(kv) + 8 * dim * row;
  heap.kernels.attend(
    ...[heap.at(q) + own, 4 * dim, k, k + 4 * dim, 8 * dim, heap.at(mixed) + own, 4 * dim],
    ...([sequences, 1, tokens, heads, dim / heads, scratch] as const),
  );
}

function attendFirstBack(
  heap: Heap,
  { q, kv, mixed }: Rows & { readonly mixed: tf.TensorInfo },
  gradients: Rows,
  { sequence, row, sequences, tokens }: Place,
  heads: number,
  dim: number,
): void {
  const scratch = heap.scratch(heap.kernels.attentionScratch(tokens));
  const own = 4 * dim * sequence;
  const k = heap.at(kv) + 8 * dim * row;
  const dk = heap.at(gradients.kv) + 8 * dim * row;
  heap.kernels.attendBack(
    ...[heap.at(q) + own, 4 * dim, k, k + 4 * dim, 8 * dim, heap.at(mixed) + own, 4 * dim],
    ...[heap.at(gradients.q) + own, dk, dk + 4 * dim],
    ...([sequences, 1, tokens, heads, dim / heads, scratch] as const),
  );
}
