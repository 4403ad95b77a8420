import type {
  AdamWSettings,
  AdamWTensors,
  LarsSettings,
  MomentumTensors,
  SgdSettings,
} from "@dino/ops";
import type * as tf from "@tensorflow/tfjs-core";
import type { NativeBackend } from "../native-backend.ts";
import { type NativeKernel, nativeKernel } from "./native-kernel.ts";

/** LARS's settings, or SGD's, which have no trust. */
type Descent = SgdSettings & Partial<LarsSettings>;

/** Updates consume what they replace, and so happen in place where nobody else looks. */
export const updateKernels: readonly NativeKernel[] = [
  nativeKernel<AdamWTensors, AdamWSettings>(
    "DinoAdamW",
    ({ inputs, attributes, backend, native }) => {
      const parameter = inPlace(backend, inputs.parameter);
      const moment1 = inPlace(backend, inputs.moment1);
      const moment2 = inPlace(backend, inputs.moment2);
      const average = inputs.average && inPlace(backend, inputs.average);
      native.adamW(
        backend.values(parameter),
        backend.values(inputs.gradient),
        backend.values(moment1),
        backend.values(moment2),
        average && backend.values(average),
        attributes,
      );
      const updated = [parameter, moment1, moment2];
      return average ? [...updated, average] : updated;
    },
  ),

  nativeKernel<MomentumTensors, SgdSettings>("DinoSgd", (call) => {
    const { learningRate, weightDecay, momentum } = call.attributes;
    return descend({ ...call, attributes: { learningRate, weightDecay, momentum } });
  }),

  nativeKernel<MomentumTensors, Descent>("DinoLars", (call) => {
    const { trust = 0, ...settings } = call.attributes;
    // One-dimensional parameters are neither decayed nor adapted.
    const attributes =
      call.inputs.parameter.shape.length === 1
        ? { ...settings, weightDecay: 0 }
        : { ...settings, trust };
    return descend({ ...call, attributes });
  }),

  nativeKernel<
    { readonly average: tf.TensorInfo; readonly value: tf.TensorInfo },
    { readonly momentum: number }
  >("DinoEma", ({ inputs, attributes: { momentum }, backend, native }) => {
    const average = inPlace(backend, inputs.average);
    native.movingAverage(backend.values(average), backend.values(inputs.value), momentum);
    return [average];
  }),

  nativeKernel<{ readonly gradient: tf.TensorInfo }, { readonly maximum: number }>(
    "DinoClipByNorm",
    ({ inputs, attributes: { maximum }, backend, native }) => {
      const gradient = inPlace(backend, inputs.gradient);
      native.clipByNorm(backend.values(gradient), maximum);
      return [gradient];
    },
  ),

  nativeKernel<{ readonly x: tf.TensorInfo }>(
    "DinoSquaredNorm",
    ({ inputs: { x }, backend, native }) => {
      const sum = backend.output([]);
      backend.values(sum)[0] = native.squaredNorm(backend.values(x));
      return [sum];
    },
  ),
];

function descend({
  inputs,
  attributes: { learningRate, weightDecay, momentum, trust },
  backend,
  native,
}: Parameters<Parameters<typeof nativeKernel<MomentumTensors, Descent>>[1]>[0]) {
  const parameter = inPlace(backend, inputs.parameter);
  const isFirst = inputs.buffer === undefined;
  const buffer = inputs.buffer ? inPlace(backend, inputs.buffer) : backend.output(parameter.shape);
  native.descend(
    backend.values(parameter),
    backend.values(inputs.gradient),
    backend.values(buffer),
    { learningRate, weightDecay, momentum, isFirst, ...(trust !== undefined && { trust }) },
  );
  return [parameter, buffer];
}

/** The tensor itself, if nobody else has its values; else a copy. */
function inPlace(backend: NativeBackend, tensor: tf.TensorInfo): tf.TensorInfo {
  if (backend.isUnshared(tensor)) return backend.same(tensor);
  const copy = backend.output(tensor.shape);
  backend.values(copy).set(backend.values(tensor));
  return copy;
}
