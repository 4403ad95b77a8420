import type * as tf from "@tensorflow/tfjs-core";
import type { DinoWebGPUBackend } from "../webgpu-backend.ts";
import { multiply, sharesOf } from "./product.ts";
import { sumRows } from "./sum-rows.ts";
import { type WebgpuKernel, webgpuKernel } from "./webgpu-kernel.ts";

interface Inputs {
  /** `[pictures, rows, columns, channels]` */
  readonly x: tf.TensorInfo;
  /** `[outputs, channels, kernel rows, kernel columns]` */
  readonly weight: tf.TensorInfo;
}
interface Attributes {
  readonly stride: number;
  readonly padding: number;
}

type Four = [number, number, number, number];

/** Convolutions as products of matrices that are never there: one dispatch forward, two or three back. */
export const conv2dKernels: readonly WebgpuKernel[] = [
  webgpuKernel<Inputs, Attributes>("DinoConv2d", ({ inputs, attributes, backend }) => {
    const { x, weight } = inputs;
    const { scalars, places, element, pictures } = plan(inputs, attributes);
    const y = backend.output([pictures, scalars.placesDown, scalars.placesAcross, scalars.outputs]);
    multiply(backend, {
      rows: places,
      columns: scalars.outputs,
      inner: element,
      a: { tensor: x, stride: scalars.channels },
      b: { tensor: weight, stride: element },
      transposeB: true,
      convolution: { product: "output", scalars },
      y,
    });
    return [y];
  }),

  webgpuKernel<
    Inputs & { readonly dy: tf.TensorInfo },
    Attributes & { readonly inputGradient: boolean }
  >("DinoConv2dBackward", ({ inputs, attributes, backend }) => {
    const { dy, weight, x } = inputs;
    const { scalars, pixels, area } = plan(inputs, attributes);
    const dWeight = filterGradient(backend, inputs, attributes);
    if (!attributes.inputGradient) return [dWeight];
    const dx = backend.output(x.shape);
    multiply(backend, {
      rows: pixels,
      columns: scalars.channels,
      inner: area * scalars.outputs,
      a: { tensor: dy, stride: scalars.outputs, isExact: true },
      b: { tensor: weight, stride: scalars.channels },
      convolution: { product: "input", scalars },
      y: dx,
    });
    return [dWeight, dx];
  }),
];

/** A sum over all places of all pictures, which several groups share. */
function filterGradient(
  backend: DinoWebGPUBackend,
  { dy, x, weight }: Inputs & { readonly dy: tf.TensorInfo },
  attributes: Attributes,
): tf.TensorInfo {
  const { scalars, places, element } = plan({ x, weight }, attributes);
  const { outputs } = scalars;
  const size = { rows: outputs, columns: element, inner: places };
  const { shares, share } = sharesOf(backend, size);
  const dWeight = backend.output(weight.shape);
  const parts = shares > 1 ? backend.output([shares, outputs * element]) : dWeight;
  multiply(backend, {
    ...size,
    batch: shares,
    share,
    a: { tensor: dy, stride: outputs, isExact: true },
    b: { tensor: x, stride: element },
    transposeA: true,
    convolution: { product: "filter", scalars },
    y: parts,
  });
  if (shares > 1) {
    sumRows(backend, { x: parts, rows: shares, columns: outputs * element }, dWeight);
    backend.free(parts);
  }
  return dWeight;
}

/** The sizes of a convolution. */
function plan({ x, weight }: Inputs, { stride, padding }: Attributes) {
  const [pictures, pictureRows, pictureColumns, channels] = x.shape as Four;
  const [outputs, , kernelRows, kernelColumns] = weight.shape as Four;
  const places = (pixels: number, kernel: number) =>
    Math.floor((pixels + 2 * padding - kernel) / stride) + 1;
  const [placesDown, placesAcross] = [
    places(pictureRows, kernelRows),
    places(pictureColumns, kernelColumns),
  ];
  const area = kernelRows * kernelColumns;
  return {
    pictures,
    area,
    pixels: pictures * pictureRows * pictureColumns,
    places: pictures * placesDown * placesAcross,
    /** What a place of the output is made of. */
    element: area * channels,
    scalars: {
      pictureRows,
      pictureColumns,
      channels,
      placesDown,
      placesAcross,
      outputs,
      kernelColumns,
      area,
      stride,
      padding,
    },
  };
}
