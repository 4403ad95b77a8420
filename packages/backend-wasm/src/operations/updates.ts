import type {
  AdamWSettings,
  AdamWTensors,
  LarsSettings,
  MomentumTensors,
  SgdSettings,
} from "@dino/ops";
import type * as tf from "@tensorflow/tfjs-core";
import { type Heap, sizeOf } from "../heap.ts";
import { type WasmKernel, wasmKernel } from "../wasm-kernel.ts";

/** Updates consume what they replace, and so happen in place where nobody else looks. */
export const updateKernels: readonly WasmKernel[] = [
  wasmKernel<AdamWTensors, AdamWSettings>("DinoAdamW", ({ inputs, attributes, heap }) => {
    const { learningRate, weightDecay, beta1, beta2, epsilon, step, clip } = attributes;
    const parameter = heap.inPlace(inputs.parameter);
    const moment1 = heap.inPlace(inputs.moment1);
    const moment2 = heap.inPlace(inputs.moment2);
    heap.kernels.adamW(
      ...[heap.at(parameter), heap.at(inputs.gradient), heap.at(moment1), heap.at(moment2)],
      sizeOf(parameter),
      clip === undefined ? 1 : shortening(heap, inputs.gradient, clip),
      1 - learningRate * weightDecay,
      beta1,
      beta2,
      learningRate / (1 - beta1 ** step),
      1 / Math.sqrt(1 - beta2 ** step),
      epsilon,
    );
    const updated = [parameter, moment1, moment2];
    if (inputs.average === undefined) return updated;
    const average = heap.inPlace(inputs.average);
    const { momentum = 0 } = attributes;
    const [to, from] = [heap.at(average), heap.at(parameter)];
    heap.kernels.movingAverage(to, from, momentum, sizeOf(parameter));
    return [...updated, average];
  }),

  wasmKernel<MomentumTensors, SgdSettings>("DinoSgd", ({ inputs, attributes, heap }) =>
    descend(heap, inputs, attributes, 1),
  ),

  wasmKernel<MomentumTensors, LarsSettings>(
    "DinoLars",
    ({ inputs, attributes: { trust, ...settings }, heap }) => {
      const { parameter, gradient } = inputs;
      // One-dimensional parameters are neither decayed nor adapted.
      if (parameter.shape.length === 1) {
        return descend(heap, inputs, { ...settings, weightDecay: 0 }, 1);
      }
      const [at, slope, count] = [heap.at(parameter), heap.at(gradient), sizeOf(parameter)];
      const size = Math.sqrt(heap.kernels.squaredNorm(at, count));
      const { weightDecay } = settings;
      const way = Math.sqrt(heap.kernels.squaredDirection(at, slope, weightDecay, count));
      return descend(heap, inputs, settings, size > 0 && way > 0 ? (trust * size) / way : 1);
    },
  ),

  wasmKernel<
    { readonly average: tf.TensorInfo; readonly value: tf.TensorInfo },
    { readonly momentum: number }
  >("DinoEma", ({ inputs, attributes: { momentum }, heap }) => {
    const average = heap.inPlace(inputs.average);
    heap.kernels.movingAverage(heap.at(average), heap.at(inputs.value), momentum, sizeOf(average));
    return [average];
  }),

  wasmKernel<{ readonly gradient: tf.TensorInfo }, { readonly maximum: number }>(
    "DinoClipByNorm",
    ({ inputs, attributes: { maximum }, heap }) => {
      const factor = shortening(heap, inputs.gradient, maximum);
      const gradient = heap.inPlace(inputs.gradient);
      const at = heap.at(gradient);
      if (factor !== 1) heap.kernels.scale(at, factor, sizeOf(gradient), at);
      return [gradient];
    },
  ),

  wasmKernel<{ readonly x: tf.TensorInfo }>("DinoSquaredNorm", ({ inputs: { x }, heap }) => {
    const sum = heap.output([]);
    heap.values(sum)[0] = heap.kernels.squaredNorm(heap.at(x), sizeOf(x));
    return [sum];
  }),
];

/** What a gradient is multiplied by for its norm to be `maximum` at most. */
function shortening(heap: Heap, gradient: tf.TensorInfo, maximum: number): number {
  const norm = Math.sqrt(heap.kernels.squaredNorm(heap.at(gradient), sizeOf(gradient)));
  return Math.min(maximum / (norm + 1e-6), 1);
}

function descend(
  heap: Heap,
  inputs: MomentumTensors,
  { learningRate, weightDecay, momentum }: SgdSettings,
  ratio: number,
): tf.TensorInfo[] {
  const parameter = heap.inPlace(inputs.parameter);
  const isFirst = inputs.buffer === undefined;
  const buffer = inputs.buffer ? heap.inPlace(inputs.buffer) : heap.output(parameter.shape);
  heap.kernels.descend(
    ...[heap.at(parameter), heap.at(inputs.gradient), heap.at(buffer), sizeOf(parameter)],
    isFirst ? 1 : 0,
    ...([learningRate, weightDecay, momentum, ratio] as const),
  );
  return [parameter, buffer];
}
