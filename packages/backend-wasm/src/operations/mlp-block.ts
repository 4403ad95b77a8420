import type {
  ForBackward,
  ForGradient,
  MlpBlockAttributes,
  MlpBlockInputs,
  MlpBlockSaved,
} from "@dino/ops";
import { sizeOf } from "../heap.ts";
import { type WasmKernel, wasmKernel } from "../wasm-kernel.ts";
import { affine, affineBack, weightBack } from "./affine.ts";
import { layerNorm, layerNormAgain, layerNormBack } from "./layer-norm.ts";
import { branchGradient, scaleSequences } from "./segments.ts";

/** `x + fc2(gelu(fc1(norm(x))))`: the activations are made again on the way back. */
export const mlpBlockKernels: readonly WasmKernel[] = [
  wasmKernel<MlpBlockInputs, MlpBlockAttributes & ForGradient>(
    "DinoMlpBlock",
    ({ inputs, attributes: { segments, epsilon, forGradient }, heap }) => {
      const { x, normWeight: weight, normBias: bias, fc1Weight, pathScale } = inputs;
      const [rows, dim] = x.shape as [number, number];
      const [normed, mean, inverseStd] = layerNorm(heap, { x, weight, bias }, epsilon);
      const hidden = heap.output([rows, fc1Weight.shape[0] as number]);
      affine(heap, heap.at(normed), fc1Weight, inputs.fc1Bias, rows, heap.at(hidden));
      const active = forGradient ? heap.output(hidden.shape) : hidden;
      heap.kernels.gelu(heap.at(hidden), heap.at(active), sizeOf(hidden));
      // The normed rows are used up.
      const y = normed;
      const out = heap.at(y);
      affine(heap, heap.at(active), inputs.fc2Weight, inputs.fc2Bias, rows, out);
      heap.free(active);
      if (pathScale) scaleSequences(heap, out, heap.at(pathScale), segments, dim, out);
      heap.kernels.add(heap.at(x), out, sizeOf(x));
      if (forGradient) return [y, mean, inverseStd, hidden];
      heap.free(mean, inverseStd);
      return [y];
    },
  ),

  wasmKernel<ForBackward<MlpBlockSaved>, MlpBlockAttributes>(
    "DinoMlpBlockBackward",
    ({ inputs, attributes: { segments }, heap }) => {
      const { dy, x, normWeight: weight, normBias: bias, mean, inverseStd } = inputs;
      const { hidden, fc1Weight, fc2Weight, pathScale } = inputs;
      const rows = x.shape[0] as number;
      const branch = branchGradient(heap, dy, pathScale, segments);
      const [active, slope] = [heap.output(hidden.shape), heap.output(hidden.shape)];
      heap.kernels.geluParts(heap.at(hidden), heap.at(active), heap.at(slope), sizeOf(hidden));
      const dFc2 = weightBack(heap, branch.at, heap.at(active), fc2Weight, rows);
      // The activations are used up: their memory takes their gradient.
      const dHidden = active;
      affineBack(heap, branch.at, fc2Weight, rows, heap.at(dHidden));
      heap.kernels.multiply(heap.at(slope), heap.at(dHidden), sizeOf(hidden));
      branch.free();
      heap.free(slope);
      const normed = layerNormAgain(heap, { x, weight, bias, mean, inverseStd });
      const dFc1 = weightBack(heap, heap.at(dHidden), heap.at(normed), fc1Weight, rows);
      const dNormed = normed;
      affineBack(heap, heap.at(dHidden), fc1Weight, rows, heap.at(dNormed));
      heap.free(dHidden);
      const dNorm = layerNormBack(heap, { dy: dNormed, x, weight, mean, inverseStd }, dy);
      heap.free(dNormed);
      return [...dNorm, ...dFc1, ...dFc2];
    },
  ),
];
