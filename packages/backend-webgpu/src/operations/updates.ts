import type {
  AdamWInputs,
  AdamWSettings,
  AdamWTensors,
  LarsSettings,
  MomentumTensors,
  SgdSettings,
} from "@dino/ops";
import { adamWTensors } from "@dino/ops";
import type * as tf from "@tensorflow/tfjs-core";
import { remembered } from "../remembered.ts";
import {
  clipProgram,
  decayedProgram,
  descentProgram,
  elementsOfGroup,
  movingAverageProgram,
} from "../shaders/updates.ts";
import type { DinoWebGPUBackend } from "../webgpu-backend.ts";
import { adamWOfEach, adamWOfOne } from "./adam-w.ts";
import { sizeOf } from "./size-of.ts";
import { traceSquares } from "./squares.ts";
import { partialSquares, partialSums, sumOf } from "./sums.ts";
import { type Call, type WebgpuKernel, webgpuKernel } from "./webgpu-kernel.ts";

const descent = remembered(descentProgram);

/** LARS's settings, or SGD's, which have no trust. */
type Descent = SgdSettings & Partial<LarsSettings>;

/** Updates consume what they replace, and so happen in place where nobody else looks. */
export const updateKernels: readonly WebgpuKernel[] = [
  webgpuKernel<AdamWTensors, AdamWSettings>("DinoAdamW", ({ inputs, attributes, backend }) =>
    adamWOfOne(backend, inputs, attributes),
  ),

  webgpuKernel<AdamWInputs, { readonly settings: readonly AdamWSettings[] }>(
    "DinoAdamWEach",
    ({ inputs, attributes: { settings }, backend }) =>
      adamWOfEach(backend, adamWTensors(inputs, settings.length), settings).flat(),
  ),

  webgpuKernel<MomentumTensors, SgdSettings>("DinoSgd", (call) => {
    const { learningRate, weightDecay, momentum } = call.attributes;
    return descend({ ...call, attributes: { learningRate, weightDecay, momentum } });
  }),

  webgpuKernel<MomentumTensors, Descent>("DinoLars", (call) => {
    const { trust = 0, ...settings } = call.attributes;
    // One-dimensional parameters are neither decayed nor adapted.
    const attributes =
      call.inputs.parameter.shape.length === 1
        ? { ...settings, weightDecay: 0 }
        : { ...settings, trust };
    return descend({ ...call, attributes });
  }),

  webgpuKernel<
    { readonly average: tf.TensorInfo; readonly value: tf.TensorInfo },
    { readonly momentum: number }
  >("DinoEma", ({ inputs, attributes: { momentum }, backend }) => {
    const average = backend.inPlace(inputs.average);
    const size = sizeOf(average);
    backend.run(movingAverageProgram, {
      reads: [inputs.value],
      writes: [average],
      scalars: { momentum, rest: 1 - momentum },
      groups: Math.ceil(size / elementsOfGroup),
    });
    return [average];
  }),

  webgpuKernel<{ readonly gradient: tf.TensorInfo }, { readonly maximum: number }>(
    "DinoClipByNorm",
    ({ inputs, attributes: { maximum }, backend }) => {
      const squares = partialSquares(backend, inputs.gradient);
      const gradient = backend.inPlace(inputs.gradient);
      const size = sizeOf(gradient);
      backend.run(clipProgram, {
        reads: [squares],
        writes: [gradient],
        scalars: { maximum },
        groups: Math.ceil(size / elementsOfGroup),
      });
      backend.free(squares);
      return [gradient];
    },
  ),

  webgpuKernel<{ readonly x: tf.TensorInfo }>("DinoSquaredNorm", ({ inputs: { x }, backend }) => {
    const sums = partialSquares(backend, x);
    backend.keepTraces(x, { squares: sums }); // whoever asks for a gradient's norm may clip it next
    return [sumOf(backend, sums)];
  }),

  webgpuKernel<readonly tf.TensorInfo[]>("DinoSquaredNormOfAll", ({ inputs, backend }) => {
    const squares = traceSquares(backend, Object.values(inputs));
    const sums = partialSums(backend, squares, false);
    backend.free(squares);
    return [sumOf(backend, sums)];
  }),
];

function descend({
  inputs,
  attributes: { learningRate, weightDecay, momentum, trust },
  backend,
}: Call<MomentumTensors, Descent>): tf.TensorInfo[] {
  const { gradient } = inputs;
  const adapts = trust !== undefined;
  const norms = adapts ? normsOf(backend, inputs, weightDecay) : [];
  const parameter = backend.inPlace(inputs.parameter);
  const buffer = inputs.buffer
    ? backend.inPlace(inputs.buffer)
    : backend.output(inputs.parameter.shape);
  const size = sizeOf(parameter);
  backend.run(descent({ isFirst: inputs.buffer === undefined, adapts }), {
    reads: [gradient, ...norms],
    writes: [parameter, buffer],
    scalars: { rate: learningRate, decay: weightDecay, momentum, trust: trust ?? 0 },
    groups: Math.ceil(size / elementsOfGroup),
  });
  backend.free(...norms);
  return [parameter, buffer];
}

/** The sums of squares of the parameter, and of its gradient with the decay. */
function normsOf(
  backend: DinoWebGPUBackend,
  { parameter, gradient }: MomentumTensors,
  decay: number,
): readonly [tf.TensorInfo, tf.TensorInfo] {
  const slope = backend.output(gradient.shape);
  const size = sizeOf(gradient);
  backend.run(decayedProgram, {
    reads: [gradient, parameter],
    writes: [slope],
    scalars: { decay },
    groups: Math.ceil(size / elementsOfGroup),
  });
  const norms = [partialSquares(backend, parameter), partialSquares(backend, slope)] as const;
  backend.free(slope);
  return norms;
}
