import type {
  AttentionBlockAttributes,
  AttentionBlockInputs,
  ClassAttentionBlockSaved,
  ForBackward,
  ForGradient,
  Segment,
} from "@dino/ops";
import { type NativeKernel, nativeKernel } from "./native-kernel.ts";

/** The attention half of a block for the first token of every sequence alone. */
export const classAttentionBlockKernels: readonly NativeKernel[] = [
  nativeKernel<AttentionBlockInputs, AttentionBlockAttributes & ForGradient>(
    "DinoClassAttentionBlock",
    ({ inputs, attributes: { heads, segments, epsilon, forGradient }, backend, native }) => {
      const { x, normWeight, normBias, projWeight, projBias, pathScale } = inputs;
      const [rows, dim] = x.shape as [number, number];
      const firsts = firstRows(segments);
      const sequences = firsts.length;
      const bf16 = backend.precision === "bf16";
      const size = (rows: number, inputs: number, outputs: number) =>
        ({ rows, inputs, outputs, bf16 }) as const;

      const [mean, inverseStd] = [backend.output([rows, 1]), backend.output([rows, 1])];
      const [q, kv] = [backend.output([sequences, dim]), backend.output([rows, 2 * dim])];
      const [mixed, y] = [backend.output([sequences, dim]), backend.output([sequences, dim])];
      const own = gathered(backend.values(x), firsts, dim);
      const weight = backend.values(inputs.qkvWeight);
      const bias = backend.values(inputs.qkvBias);
      const norm = [backend.values(normWeight), backend.values(normBias), epsilon] as const;
      native.affineNormed(
        own,
        ...norm,
        new Float32Array(sequences),
        new Float32Array(sequences),
        weight.subarray(0, dim * dim),
        bias.subarray(0, dim),
        "none",
        backend.values(q),
        undefined,
        size(sequences, dim, dim),
      );
      native.affineNormed(
        backend.values(x),
        ...norm,
        backend.values(mean),
        backend.values(inverseStd),
        weight.subarray(dim * dim),
        bias.subarray(dim),
        "none",
        backend.values(kv),
        undefined,
        size(rows, dim, 2 * dim),
      );
      native.attendClass(
        backend.values(q),
        backend.values(kv),
        backend.values(mixed),
        segments,
        heads,
        dim,
      );
      native.affineResidual(
        backend.values(mixed),
        backend.values(projWeight),
        backend.values(projBias),
        pathScale && backend.values(pathScale),
        own,
        backend.values(y),
        size(sequences, dim, dim),
      );
      const kept = [mean, inverseStd, q, kv, mixed];
      if (forGradient) return [y, ...kept];
      for (const { dataId } of kept) backend.disposeData(dataId);
      return [y];
    },
  ),

  nativeKernel<ForBackward<ClassAttentionBlockSaved>, AttentionBlockAttributes>(
    "DinoClassAttentionBlockBackward",
    ({ inputs, attributes: { heads, segments }, backend, native }) => {
      const { dy, x, normWeight, normBias, qkvWeight, projWeight, mean, inverseStd } = inputs;
      const [rows, dim] = x.shape as [number, number];
      const firsts = firstRows(segments);
      const sequences = firsts.length;
      const bf16 = backend.precision === "bf16";
      const size = (rows: number, inputs: number, outputs: number) =>
        ({ rows, inputs, outputs, bf16 }) as const;
      const factors = inputs.pathScale && backend.values(inputs.pathScale);

      const [dProjWeight, dProjBias] = [backend.output([dim, dim]), backend.output([dim])];
      native.weightBack(
        backend.values(dy),
        factors,
        backend.values(inputs.mixed),
        false,
        backend.values(dProjWeight),
        backend.values(dProjBias),
        size(sequences, dim, dim),
      );
      const dMixed = backend.output([sequences, dim]);
      native.productBack(
        backend.values(dy),
        factors,
        backend.values(projWeight),
        undefined,
        backend.values(dMixed),
        size(sequences, dim, dim),
      );
      const [dQ, dKv] = [backend.output([sequences, dim]), backend.output([rows, 2 * dim])];
      native.attendClassBack(
        backend.values(inputs.q),
        backend.values(inputs.kv),
        backend.values(dMixed),
        backend.values(dQ),
        backend.values(dKv),
        segments,
        heads,
        dim,
      );
      backend.disposeData(dMixed.dataId);

      const dQkvWeight = backend.output(qkvWeight.shape);
      const dQkvBias = backend.output([3 * dim]);
      const norm = [backend.values(normWeight), backend.values(normBias)] as const;
      const dWeight = backend.values(dQkvWeight);
      const dBias = backend.values(dQkvBias);
      native.weightBackNormed(
        backend.values(dQ),
        gathered(backend.values(x), firsts, dim),
        ...norm,
        gathered(backend.values(mean), firsts, 1),
        gathered(backend.values(inverseStd), firsts, 1),
        dWeight.subarray(0, dim * dim),
        dBias.subarray(0, dim),
        size(sequences, dim, dim),
      );
      native.weightBackNormed(
        backend.values(dKv),
        backend.values(x),
        ...norm,
        backend.values(mean),
        backend.values(inverseStd),
        dWeight.subarray(dim * dim),
        dBias.subarray(dim),
        size(rows, dim, 2 * dim),
      );
      const weight = backend.values(qkvWeight);
      const dNormed = backend.output([rows, dim]);
      native.productBack(
        backend.values(dKv),
        undefined,
        weight.subarray(dim * dim),
        undefined,
        backend.values(dNormed),
        size(rows, 2 * dim, dim),
      );
      const dOwn = new Float32Array(sequences * dim);
      native.productBack(
        backend.values(dQ),
        undefined,
        weight.subarray(0, dim * dim),
        undefined,
        dOwn,
        size(sequences, dim, dim),
      );
      scatter(dOwn, firsts, dim, backend.values(dNormed));
      for (const { dataId } of [dQ, dKv]) backend.disposeData(dataId);

      const dx = backend.output(x.shape);
      const [dNormWeight, dNormBias] = [backend.output([dim]), backend.output([dim])];
      native.layerNormBack(
        backend.values(dNormed),
        backend.values(x),
        norm[0],
        backend.values(mean),
        backend.values(inverseStd),
        undefined,
        backend.values(dx),
        backend.values(dNormWeight),
        backend.values(dNormBias),
      );
      backend.disposeData(dNormed.dataId);
      scatter(backend.values(dy), firsts, dim, backend.values(dx));
      return [dx, dNormWeight, dNormBias, dQkvWeight, dQkvBias, dProjWeight, dProjBias];
    },
  ),
];

/** The first row of every sequence. */
function firstRows(segments: readonly Segment[]): readonly number[] {
  let row = 0;
  return segments.flatMap(({ sequences, tokens }) => {
    const first = row;
    row += sequences * tokens;
    return Array.from({ length: sequences }, (_, i) => first + i * tokens);
  });
}

/** Some rows, one after the other. */
function gathered(x: Float32Array, rows: readonly number[], width: number): Float32Array {
  const some = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    some.set(x.subarray(row * width, (row + 1) * width), i * width);
  });
  return some;
}

/** Adds rows to some rows of `to`. */
function scatter(
  from: Float32Array,
  rows: readonly number[],
  width: number,
  to: Float32Array,
): void {
  rows.forEach((row, i) => {
    for (let column = 0; column < width; column++) {
      const at = row * width + column;
      to[at] = (to[at] as number) + (from[i * width + column] as number);
    }
  });
}
