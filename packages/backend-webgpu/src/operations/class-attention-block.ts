import type {
  AttentionBlockAttributes,
  AttentionBlockInputs,
  ClassAttentionBlockSaved,
  ForBackward,
  ForGradient,
  Segment,
} from "@dino/ops";
import type * as tf from "@tensorflow/tfjs-core";
import { remembered } from "../remembered.ts";
import {
  classAttentionBackwardProgram,
  classAttentionProgram,
} from "../shaders/class-attention.ts";
import { segmentSlots, segmentValues } from "../shaders/segments.ts";
import { addAtFirstRows, firstRows } from "./first-rows.ts";
import { layerNorm, layerNormAgain, layerNormBackward } from "./layer-norm.ts";
import { forwardProduct, rowsProduct, weightProduct } from "./linear.ts";
import { scaledRows } from "./path-factors.ts";
import { multiply } from "./product.ts";
import { type WebgpuKernel, webgpuKernel } from "./webgpu-kernel.ts";

const forwardProgram = remembered(classAttentionProgram);
const backwardProgram = remembered(classAttentionBackwardProgram);

/** What both programs are told. */
function plan(dim: number, heads: number, segments: readonly Segment[]) {
  const sequences = segments.reduce((sum, segment) => sum + segment.sequences, 0);
  const width = dim / heads;
  const scalars = { heads, sequences, scale: width ** -0.5, ...segmentValues(segments) };
  return { sequences, width, scalars, groups: sequences * heads };
}

/** The attention half of a block for the first token of every sequence alone. */
export const classAttentionBlockKernels: readonly WebgpuKernel[] = [
  webgpuKernel<AttentionBlockInputs, AttentionBlockAttributes & ForGradient>(
    "DinoClassAttentionBlock",
    ({ inputs, attributes: { heads, segments, epsilon, forGradient }, backend }) => {
      const { x, normWeight: weight, normBias: bias, qkvWeight, qkvBias, projWeight } = inputs;
      const [rows, dim] = x.shape as [number, number];
      const { sequences, width, scalars, groups } = plan(dim, heads, segments);
      const { y: normed, mean, inverseStd } = layerNorm(backend, { x, weight, bias }, epsilon);
      const own = firstRows(backend, normed, segments);
      const q = backend.output([sequences, dim]);
      multiply(backend, { ...queries(own, qkvWeight), y: q, bias: qkvBias });
      const kv = backend.operand([rows, 2 * dim]);
      multiply(backend, { ...pairs(normed, qkvWeight), y: kv, bias: qkvBias, startBias: dim });
      backend.free(own, normed);
      const mixed = backend.output([sequences, dim + heads]);
      backend.run(forwardProgram(width, segmentSlots(segments), backend.isHalf(kv)), {
        reads: [q, kv],
        writes: [mixed],
        scalars,
        groups,
      });
      const onto = firstRows(backend, x, segments);
      const y = backend.output([sequences, dim]);
      multiply(backend, {
        ...forwardProduct(mixed, projWeight),
        rows: sequences,
        y,
        bias: inputs.projBias,
        rowFactors: inputs.pathScale,
        residual: onto,
      });
      backend.free(onto);
      const kept = [mean, inverseStd, q, backend.kept(kv), mixed];
      if (forGradient) return [y, ...kept];
      backend.free(...kept);
      return [y];
    },
  ),

  webgpuKernel<ForBackward<ClassAttentionBlockSaved>, AttentionBlockAttributes>(
    "DinoClassAttentionBlockBackward",
    ({ inputs, attributes: { heads, segments }, backend }) => {
      const { x, normWeight: weight, normBias: bias, qkvWeight, projWeight } = inputs;
      const { dy, mean, inverseStd, q, kv, mixed } = inputs;
      const [rows, dim] = x.shape as [number, number];
      const { sequences, width, scalars, groups } = plan(dim, heads, segments);
      const dBranch = scaledRows(backend, dy, inputs.pathScale);
      const [dProjWeight, dProjBias] = [backend.output(projWeight.shape), backend.output([dim])];
      multiply(backend, {
        ...weightProduct(dBranch, mixed, projWeight.shape),
        y: dProjWeight,
        sums: dProjBias,
      });
      const dMixed = backend.output([sequences, dim]);
      multiply(backend, { ...rowsProduct(dBranch, projWeight), y: dMixed });
      backend.free(dBranch);
      const [dQ, dKv] = [backend.output([sequences, dim]), backend.output([rows, 2 * dim])];
      backend.run(backwardProgram(width, segmentSlots(segments), backend.isHalf(kv)), {
        reads: [q, kv, dMixed, mixed],
        writes: [dQ, dKv],
        scalars,
        groups,
      });
      backend.free(dMixed);

      const normed = layerNormAgain(backend, { x, weight, bias, mean, inverseStd });
      const own = firstRows(backend, normed, segments);
      const [dQkvWeight, dQkvBias] = [backend.output(qkvWeight.shape), backend.output([3 * dim])];
      multiply(backend, {
        ...weightProduct(dQ, own, [dim, dim]),
        y: dQkvWeight,
        sums: dQkvBias,
      });
      multiply(backend, {
        ...weightProduct(dKv, normed, [2 * dim, dim]),
        y: dQkvWeight,
        startY: dim * dim,
        sums: dQkvBias,
        startBias: dim,
      });
      backend.free(own, normed);
      const dNormed = backend.output(x.shape);
      const pairsWeight = { tensor: qkvWeight, stride: dim, start: dim * dim };
      multiply(backend, {
        rows,
        columns: dim,
        inner: 2 * dim,
        a: { tensor: dKv, stride: 2 * dim, isExact: true },
        b: pairsWeight,
        y: dNormed,
      });
      const dOwn = backend.output([sequences, dim]);
      multiply(backend, {
        ...rowsProduct(dQ, qkvWeight),
        inner: dim,
        rows: sequences,
        a: { tensor: dQ, stride: dim, isExact: true },
        y: dOwn,
      });
      addAtFirstRows(backend, dOwn, segments, dNormed);
      backend.free(dQ, dKv, dOwn);

      const slopes = { dy: dNormed, x, weight, mean, inverseStd };
      const [dx, dNormWeight, dNormBias] = layerNormBackward(backend, slopes);
      backend.free(dNormed);
      addAtFirstRows(backend, dy, segments, dx);
      return [dx, dNormWeight, dNormBias, dQkvWeight, dQkvBias, dProjWeight, dProjBias];
    },
  ),
];

/** The product of the queries' part of the packed weight. */
function queries(x: tf.TensorInfo, weight: tf.TensorInfo) {
  return { ...forwardProduct(x, weight), columns: weight.shape[1] as number };
}

/** The product of the part of keys and values. */
function pairs(x: tf.TensorInfo, weight: tf.TensorInfo) {
  const dim = weight.shape[1] as number;
  const b = { tensor: weight, stride: dim, start: dim * dim };
  return { ...forwardProduct(x, weight), columns: 2 * dim, b };
}
