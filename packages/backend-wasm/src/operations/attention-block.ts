import type {
  AttentionBlockAttributes,
  AttentionBlockInputs,
  AttentionBlockSaved,
  ForBackward,
  ForGradient,
} from "@dino/ops";
import { sizeOf } from "../heap.ts";
import { type WasmKernel, wasmKernel } from "../wasm-kernel.ts";
import { affine, affineBack, weightBack } from "./affine.ts";
import { attend, attendBack } from "./attention.ts";
import { layerNorm, layerNormAgain, layerNormBack } from "./layer-norm.ts";
import { branchGradient, scaleSequences } from "./segments.ts";

/** `x + projection(attention(norm(x)))`. */
export const attentionBlockKernels: readonly WasmKernel[] = [
  wasmKernel<AttentionBlockInputs, AttentionBlockAttributes & ForGradient>(
    "DinoAttentionBlock",
    ({ inputs, attributes, heap }) => {
      const { x, normWeight: weight, normBias: bias, qkvWeight, qkvBias, pathScale } = inputs;
      const { segments, epsilon, forGradient } = attributes;
      const [rows, dim] = x.shape as [number, number];
      const [normed, mean, inverseStd] = layerNorm(heap, { x, weight, bias }, epsilon);
      const qkv = heap.output([rows, 3 * dim]);
      affine(heap, heap.at(normed), qkvWeight, qkvBias, rows, heap.at(qkv));
      // The normed rows are used up: their memory takes what attention gives.
      const mixed = normed;
      attend(heap, heap.at(qkv), heap.at(mixed), dim, attributes);
      const y = heap.output(x.shape);
      const out = heap.at(y);
      affine(heap, heap.at(mixed), inputs.projWeight, inputs.projBias, rows, out);
      if (pathScale) scaleSequences(heap, out, heap.at(pathScale), segments, dim, out);
      heap.kernels.add(heap.at(x), out, sizeOf(x));
      if (forGradient) return [y, mean, inverseStd, qkv, mixed];
      heap.free(mean, inverseStd, qkv, mixed);
      return [y];
    },
  ),

  wasmKernel<ForBackward<AttentionBlockSaved>, AttentionBlockAttributes>(
    "DinoAttentionBlockBackward",
    ({ inputs, attributes, heap }) => {
      const { dy, x, normWeight: weight, normBias: bias, mean, inverseStd } = inputs;
      const { qkv, mixed, qkvWeight, projWeight, pathScale } = inputs;
      const [rows, dim] = x.shape as [number, number];
      const branch = branchGradient(heap, dy, pathScale, attributes.segments);
      const dProj = weightBack(heap, branch.at, heap.at(mixed), projWeight, rows);
      const dMixed = heap.output(x.shape);
      affineBack(heap, branch.at, projWeight, rows, heap.at(dMixed));
      branch.free();
      const dQkv = heap.output(qkv.shape);
      attendBack(heap, heap.at(qkv), heap.at(dMixed), heap.at(dQkv), dim, attributes);
      const normed = layerNormAgain(heap, { x, weight, bias, mean, inverseStd });
      const dLinear = weightBack(heap, heap.at(dQkv), heap.at(normed), qkvWeight, rows);
      // What came through the heads is used up: its memory takes the normed rows' gradient.
      const dNormed = dMixed;
      affineBack(heap, heap.at(dQkv), qkvWeight, rows, heap.at(dNormed));
      heap.free(dQkv, normed);
      const dNorm = layerNormBack(heap, { dy: dNormed, x, weight, mean, inverseStd }, dy);
      heap.free(dNormed);
      return [...dNorm, ...dLinear, ...dProj];
    },
  ),
];
