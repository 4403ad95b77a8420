import type * as tf from "@tensorflow/tfjs-core";
import { maxPoolBackwardProgram, maxPoolProgram } from "../shaders/max-pool2d.ts";
import { groupsFor, sizeOf } from "./size-of.ts";
import { type WebgpuKernel, webgpuKernel } from "./webgpu-kernel.ts";

interface X {
  readonly x: tf.TensorInfo;
}
interface Attributes {
  readonly size: number;
  readonly stride: number;
  readonly padding: number;
}

type Four = [number, number, number, number];

/** One dispatch forward, one back. */
export const maxPool2dKernels: readonly WebgpuKernel[] = [
  webgpuKernel<X, Attributes>("DinoMaxPool2d", ({ inputs: { x }, attributes, backend }) => {
    const scalars = plan(x, attributes);
    const [pictures, , , channels] = x.shape as Four;
    const y = backend.output([pictures, scalars.placesDown, scalars.placesAcross, channels]);
    backend.run(maxPoolProgram, {
      reads: [x],
      writes: [y],
      scalars: { ...scalars, size: sizeOf(y) },
      groups: groupsFor(sizeOf(y)),
    });
    return [y];
  }),

  webgpuKernel<X & { readonly dy: tf.TensorInfo; readonly y: tf.TensorInfo }, Attributes>(
    "DinoMaxPool2dBackward",
    ({ inputs: { dy, x, y }, attributes, backend }) => {
      const dx = backend.output(x.shape);
      backend.run(maxPoolBackwardProgram, {
        reads: [dy, x, y],
        writes: [dx],
        scalars: { ...plan(x, attributes), size: sizeOf(x) },
        groups: groupsFor(sizeOf(x)),
      });
      return [dx];
    },
  ),
];

function plan({ shape }: tf.TensorInfo, { size: side, stride, padding }: Attributes) {
  const [, pictureRows, pictureColumns, channels] = shape as Four;
  const places = (pixels: number) => Math.floor((pixels + 2 * padding - side) / stride) + 1;
  return {
    pictureRows,
    pictureColumns,
    channels,
    placesDown: places(pictureRows),
    placesAcross: places(pictureColumns),
    side,
    stride,
    padding,
  };
}
