import type {
  ForBackward,
  ForGradient,
  MlpBlockAttributes,
  MlpBlockInputs,
  MlpBlockSaved,
} from "@dino/ops";
import { backThroughNorm } from "./back-through-norm.ts";
import { type NativeKernel, nativeKernel } from "./native-kernel.ts";
import { pathFactors } from "./path-factors.ts";
import { backwardSize, forwardSize } from "./product-size.ts";

/** `x + fc2(gelu(fc1(norm(x))))`: the activations are made again on the way back. */
export const mlpBlockKernels: readonly NativeKernel[] = [
  nativeKernel<MlpBlockInputs, MlpBlockAttributes & ForGradient>(
    "DinoMlpBlock",
    ({ inputs, attributes: { segments, epsilon, forGradient }, backend, native }) => {
      const { x, normWeight, normBias, fc1Weight, fc1Bias, fc2Weight, fc2Bias } = inputs;
      const rows = x.shape[0] as number;
      const width = fc1Weight.shape[0] as number;
      const [mean, inverseStd] = [backend.output([rows, 1]), backend.output([rows, 1])];
      const active = backend.activations([rows, width]);
      const hidden = forGradient ? backend.activations([rows, width]) : undefined;
      const y = backend.output(x.shape);
      native.affineNormed(
        backend.values(x),
        backend.values(normWeight),
        backend.values(normBias),
        epsilon,
        backend.values(mean),
        backend.values(inverseStd),
        backend.values(fc1Weight),
        backend.values(fc1Bias),
        "gelu",
        active.values,
        hidden?.values,
        forwardSize(rows, fc1Weight, backend),
      );
      native.affineResidual(
        active.values,
        backend.values(fc2Weight),
        backend.values(fc2Bias),
        pathFactors(inputs.pathScale && backend.values(inputs.pathScale), segments),
        backend.values(x),
        backend.values(y),
        forwardSize(rows, fc2Weight, backend),
      );
      backend.disposeData(active.tensor.dataId);
      if (hidden) return [y, mean, inverseStd, hidden.tensor];
      for (const { dataId } of [mean, inverseStd]) backend.disposeData(dataId);
      return [y];
    },
  ),

  nativeKernel<ForBackward<MlpBlockSaved>, MlpBlockAttributes>(
    "DinoMlpBlockBackward",
    ({ inputs, attributes: { segments }, backend, native }) => {
      const { dy, x, fc1Weight, fc2Weight } = inputs;
      const [rows, dim] = x.shape as [number, number];
      const width = fc1Weight.shape[0] as number;
      const factors = pathFactors(inputs.pathScale && backend.values(inputs.pathScale), segments);
      const hidden = backend.stored(inputs.hidden, rows * width);

      const [dFc2Weight, dFc2Bias] = [backend.output(fc2Weight.shape), backend.output([dim])];
      native.weightBack(
        backend.values(dy),
        factors,
        hidden,
        true,
        backend.values(dFc2Weight),
        backend.values(dFc2Bias),
        forwardSize(rows, fc2Weight, backend),
      );
      const dHidden = backend.output([rows, width]);
      native.productBack(
        backend.values(dy),
        factors,
        backend.values(fc2Weight),
        hidden,
        backend.values(dHidden),
        backwardSize(rows, fc2Weight, backend),
      );
      const between = backend.output(x.shape);
      const first = { dProduct: dHidden, weight: fc1Weight, between };
      const gradients = backThroughNorm({ ...inputs, ...first }, backend, native);
      return [...gradients, dFc2Weight, dFc2Bias];
    },
  ),
];
