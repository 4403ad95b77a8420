import type {
  AttentionBlockAttributes,
  AttentionBlockInputs,
  AttentionBlockSaved,
  ForBackward,
  ForGradient,
} from "@dino/ops";
import { backThroughNorm } from "./back-through-norm.ts";
import { type NativeKernel, nativeKernel } from "./native-kernel.ts";
import { pathFactors } from "./path-factors.ts";
import { backwardSize, forwardSize } from "./product-size.ts";

/** `x + projection(attention(norm(x)))`: three parallel regions forward, six back. */
export const attentionBlockKernels: readonly NativeKernel[] = [
  nativeKernel<AttentionBlockInputs, AttentionBlockAttributes & ForGradient>(
    "DinoAttentionBlock",
    ({ inputs, attributes: { heads, segments, epsilon, forGradient }, backend, native }) => {
      const { x, normWeight, normBias, qkvWeight, qkvBias, projWeight, projBias } = inputs;
      const [rows, dim] = x.shape as [number, number];
      const [mean, inverseStd] = [backend.output([rows, 1]), backend.output([rows, 1])];
      const qkv = backend.activations([rows, 3 * dim]);
      const mixed = backend.activations([rows, dim]);
      const y = backend.output(x.shape);
      native.affineNormed(
        backend.values(x),
        backend.values(normWeight),
        backend.values(normBias),
        epsilon,
        backend.values(mean),
        backend.values(inverseStd),
        backend.values(qkvWeight),
        backend.values(qkvBias),
        "none",
        qkv.values,
        undefined,
        forwardSize(rows, qkvWeight, backend),
      );
      native.attend(qkv.values, mixed.values, segments, heads, dim);
      native.affineResidual(
        mixed.values,
        backend.values(projWeight),
        backend.values(projBias),
        pathFactors(inputs.pathScale && backend.values(inputs.pathScale), segments),
        backend.values(x),
        backend.values(y),
        forwardSize(rows, projWeight, backend),
      );
      const kept = [mean, inverseStd, qkv.tensor, mixed.tensor];
      if (forGradient) return [y, ...kept];
      for (const { dataId } of kept) backend.disposeData(dataId);
      return [y];
    },
  ),

  nativeKernel<ForBackward<AttentionBlockSaved>, AttentionBlockAttributes>(
    "DinoAttentionBlockBackward",
    ({ inputs, attributes: { heads, segments }, backend, native }) => {
      const { dy, x, qkvWeight, projWeight } = inputs;
      const [rows, dim] = x.shape as [number, number];
      const factors = pathFactors(inputs.pathScale && backend.values(inputs.pathScale), segments);
      const qkv = backend.stored(inputs.qkv, rows * 3 * dim);

      const dProjWeight = backend.output(projWeight.shape);
      const dProjBias = backend.output([dim]);
      native.weightBack(
        backend.values(dy),
        factors,
        backend.stored(inputs.mixed, rows * dim),
        false,
        backend.values(dProjWeight),
        backend.values(dProjBias),
        forwardSize(rows, projWeight, backend),
      );
      const dMixed = backend.output([rows, dim]);
      native.productBack(
        backend.values(dy),
        factors,
        backend.values(projWeight),
        undefined,
        backend.values(dMixed),
        backwardSize(rows, projWeight, backend),
      );
      const dQkv = backend.output([rows, 3 * dim]);
      native.attendBack(qkv, backend.values(dMixed), backend.values(dQkv), segments, heads, dim);
      // What came through the heads is used up: its memory takes the normed rows' gradient.
      const first = { dProduct: dQkv, weight: qkvWeight, between: dMixed };
      const gradients = backThroughNorm({ ...inputs, ...first }, backend, native);
      return [...gradients, dProjWeight, dProjBias];
    },
  ),
];
