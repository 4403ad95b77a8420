import type {
  AttentionBlockAttributes,
  AttentionBlockInputs,
  AttentionBlockSaved,
  ForBackward,
  ForGradient,
} from "@dino/ops";
import { attend, attendBackward } from "./attention.ts";
import { layerNorm, layerNormAgain, layerNormBackward } from "./layer-norm.ts";
import { forwardProduct, rowsProduct, weightProduct } from "./linear.ts";
import { pathFactors, scaledRows } from "./path-factors.ts";
import { multiply } from "./product.ts";
import { type WebgpuKernel, webgpuKernel } from "./webgpu-kernel.ts";

/** `x + projection(attention(norm(x)))`: four dispatches forward, nine back. */
export const attentionBlockKernels: readonly WebgpuKernel[] = [
  webgpuKernel<AttentionBlockInputs, AttentionBlockAttributes & ForGradient>(
    "DinoAttentionBlock",
    ({ inputs, attributes, backend }) => {
      const { x, normWeight: weight, normBias: bias, qkvWeight, projWeight, projBias } = inputs;
      const { segments, epsilon, forGradient } = attributes;
      const [rows, dim] = x.shape as [number, number];
      const { y: normed, mean, inverseStd } = layerNorm(backend, { x, weight, bias }, epsilon);
      // Halves are written two at a time, which must be of one head.
      const isEven = (dim / attributes.heads) % 2 === 0;
      const packed = [rows, 3 * dim] as const;
      const qkv = isEven ? backend.operand(packed) : backend.output(packed);
      multiply(backend, { ...forwardProduct(normed, qkvWeight), y: qkv, bias: inputs.qkvBias });
      backend.free(normed);
      const mixed = attend(backend, qkv, attributes);
      const factors = pathFactors(backend, inputs.pathScale, segments, rows);
      const y = backend.output(x.shape);
      multiply(backend, {
        ...forwardProduct(mixed, projWeight),
        rows,
        y,
        bias: projBias,
        rowFactors: factors,
        residual: x,
      });
      if (factors) backend.free(factors);
      const kept = [mean, inverseStd, backend.kept(qkv), backend.kept(mixed)];
      if (forGradient) return [y, ...kept];
      backend.free(...kept);
      return [y];
    },
  ),

  webgpuKernel<ForBackward<AttentionBlockSaved>, AttentionBlockAttributes>(
    "DinoAttentionBlockBackward",
    ({ inputs, attributes, backend }) => {
      const { x, normWeight: weight, normBias: bias, qkvWeight, projWeight } = inputs;
      const { dy, mean, inverseStd, qkv, mixed } = inputs;
      const [rows, dim] = x.shape as [number, number];
      const factors = pathFactors(backend, inputs.pathScale, attributes.segments, rows);
      const dBranch = scaledRows(backend, dy, factors);
      const [dProjWeight, dProjBias] = [backend.output(projWeight.shape), backend.output([dim])];
      multiply(backend, {
        ...weightProduct(dBranch, mixed, projWeight.shape),
        y: dProjWeight,
        sums: dProjBias,
      });
      const dMixed = backend.output([rows, dim]);
      multiply(backend, { ...rowsProduct(dBranch, projWeight), y: dMixed });
      backend.free(dBranch, ...(factors ? [factors] : []));
      const dQkv = attendBackward(backend, { dy: dMixed, qkv, mixed }, attributes);
      backend.free(dMixed);
      const normed = layerNormAgain(backend, { x, weight, bias, mean, inverseStd });
      const [dQkvWeight, dQkvBias] = [backend.output(qkvWeight.shape), backend.output([3 * dim])];
      multiply(backend, {
        ...weightProduct(dQkv, normed, qkvWeight.shape),
        y: dQkvWeight,
        sums: dQkvBias,
      });
      backend.free(normed);
      const dNormed = backend.output(x.shape);
      multiply(backend, { ...rowsProduct(dQkv, qkvWeight), y: dNormed });
      backend.free(dQkv);
      const slopes = { dy: dNormed, x, weight, mean, inverseStd };
      const [dx, dNormWeight, dNormBias] = layerNormBackward(backend, slopes, dy);
      backend.free(dNormed);
      return [dx, dNormWeight, dNormBias, dQkvWeight, dQkvBias, dProjWeight, dProjBias];
    },
  ),
];
