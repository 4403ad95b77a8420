import type {
  ForBackward,
  ForGradient,
  MlpBlockAttributes,
  MlpBlockInputs,
  MlpBlockSaved,
} from "@dino/ops";
import { layerNorm, layerNormAgain, layerNormBackward } from "./layer-norm.ts";
import { forwardProduct, rowsProduct, weightProduct } from "./linear.ts";
import { pathFactors, scaledRows } from "./path-factors.ts";
import { multiply } from "./product.ts";
import { type WebgpuKernel, webgpuKernel } from "./webgpu-kernel.ts";

/** `x + fc2(gelu(fc1(norm(x))))`: three dispatches forward, seven back. */
export const mlpBlockKernels: readonly WebgpuKernel[] = [
  webgpuKernel<MlpBlockInputs, MlpBlockAttributes & ForGradient>(
    "DinoMlpBlock",
    ({ inputs, attributes: { segments, epsilon, forGradient }, backend }) => {
      const { x, normWeight: weight, normBias: bias, fc1Weight, fc1Bias, fc2Weight } = inputs;
      const [rows] = x.shape as [number, number];
      const { y: normed, mean, inverseStd } = layerNorm(backend, { x, weight, bias }, epsilon);
      const first = forwardProduct(normed, fc1Weight);
      const active = backend.operand([rows, first.columns]);
      const hidden = forGradient ? backend.operand([rows, first.columns]) : undefined;
      multiply(backend, { ...first, y: active, bias: fc1Bias, activation: "gelu", before: hidden });
      backend.free(normed);
      const factors = pathFactors(backend, inputs.pathScale, segments, rows);
      const y = backend.output(x.shape);
      multiply(backend, {
        ...forwardProduct(active, fc2Weight),
        y,
        bias: inputs.fc2Bias,
        rowFactors: factors,
        residual: x,
      });
      backend.free(active, ...(factors ? [factors] : []));
      if (hidden) return [y, mean, inverseStd, backend.kept(hidden)];
      backend.free(mean, inverseStd);
      return [y];
    },
  ),

  webgpuKernel<ForBackward<MlpBlockSaved>, MlpBlockAttributes>(
    "DinoMlpBlockBackward",
    ({ inputs, attributes: { segments }, backend }) => {
      const { x, normWeight: weight, normBias: bias, fc1Weight, fc2Weight } = inputs;
      const { dy, mean, inverseStd, hidden } = inputs;
      const [rows, dim] = x.shape as [number, number];
      const width = fc1Weight.shape[0] as number;
      const factors = pathFactors(backend, inputs.pathScale, segments, rows);
      const dBranch = scaledRows(backend, dy, factors);
      const [dFc2Weight, dFc2Bias] = [backend.output(fc2Weight.shape), backend.output([dim])];
      multiply(backend, {
        ...weightProduct(dBranch, hidden, fc2Weight.shape),
        geluOfB: true,
        y: dFc2Weight,
        sums: dFc2Bias,
      });
      const dHidden = backend.output([rows, width]);
      multiply(backend, {
        ...rowsProduct(dBranch, fc2Weight),
        y: dHidden,
        slope: "gelu",
        before: hidden,
      });
      backend.free(dBranch, ...(factors ? [factors] : []));
      const normed = layerNormAgain(backend, { x, weight, bias, mean, inverseStd });
      const [dFc1Weight, dFc1Bias] = [backend.output(fc1Weight.shape), backend.output([width])];
      multiply(backend, {
        ...weightProduct(dHidden, normed, fc1Weight.shape),
        y: dFc1Weight,
        sums: dFc1Bias,
      });
      backend.free(normed);
      const dNormed = backend.output(x.shape);
      multiply(backend, { ...rowsProduct(dHidden, fc1Weight), y: dNormed });
      backend.free(dHidden);
      const slopes = { dy: dNormed, x, weight, mean, inverseStd };
      const [dx, dNormWeight, dNormBias] = layerNormBackward(backend, slopes, dy);
      backend.free(dNormed);
      return [dx, dNormWeight, dNormBias, dFc1Weight, dFc1Bias, dFc2Weight, dFc2Bias];
    },
  ),
];
