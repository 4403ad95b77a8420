import type * as tf from "@tensorflow/tfjs-core";
import { patchPixelsProgram, patchRowsProgram, tokenTableProgram } from "../shaders/patches.ts";
import type { DinoWebGPUBackend } from "../webgpu-backend.ts";
import { multiply } from "./product.ts";
import { groupsFor, sizeOf } from "./size-of.ts";
import { sumRows } from "./sum-rows.ts";
import { type WebgpuKernel, webgpuKernel } from "./webgpu-kernel.ts";

interface Weights {
  readonly images: tf.TensorInfo;
  readonly weight: tf.TensorInfo;
}
interface Inputs extends Weights {
  readonly bias: tf.TensorInfo;
  readonly classToken: tf.TensorInfo;
  readonly positions: tf.TensorInfo;
}

/** Pictures as rows of pixels: three dispatches forward, five back. */
export const patchEmbedKernels: readonly WebgpuKernel[] = [
  webgpuKernel<Inputs>("DinoPatchEmbed", ({ inputs, backend }) => {
    const { weight, bias, classToken, positions } = inputs;
    const { rows, width, dim } = gridOf(inputs);
    const patches = patchRows(backend, inputs);
    const table = backend.output(positions.shape);
    const size = sizeOf(table);
    backend.run(tokenTableProgram, {
      reads: [positions, classToken, bias],
      writes: [table],
      scalars: { size, width: dim },
      groups: groupsFor(size),
    });
    const y = backend.output([rows, dim]);
    multiply(backend, {
      rows,
      columns: dim,
      inner: width,
      a: { tensor: patches, stride: width },
      b: { tensor: weight, stride: width },
      transposeB: true,
      y,
      residual: table,
    });
    backend.free(patches, table);
    return [y];
  }),

  webgpuKernel<Weights & { readonly dy: tf.TensorInfo }, { readonly pixelGradients: boolean }>(
    "DinoPatchEmbedBackward",
    ({ inputs, attributes: { pixelGradients }, backend }) => {
      const { dy, weight, images } = inputs;
      const { rows, width, dim, tokens, pictures, scalars } = gridOf(inputs);
      const patches = patchRows(backend, inputs);
      const dWeight = backend.output(weight.shape);
      multiply(backend, {
        rows: dim,
        columns: width,
        inner: rows,
        a: { tensor: dy, stride: dim, isExact: true },
        b: { tensor: patches, stride: width },
        transposeA: true,
        y: dWeight,
      });
      backend.free(patches);
      const dPositions = backend.output([tokens, dim]);
      sumRows(backend, { x: dy, rows: pictures, columns: tokens * dim }, dPositions);
      const dBias = backend.output([dim]);
      const others = { x: dPositions, startX: dim, rows: tokens - 1, columns: dim };
      sumRows(backend, others, dBias);
      const dClassToken = backend.firstValues(dPositions, [1, 1, dim]);
      const gradients = [dWeight, dBias, dClassToken, dPositions];
      if (!pixelGradients) return gradients;

      const dRows = backend.output([rows, width]);
      multiply(backend, {
        rows,
        columns: width,
        inner: dim,
        a: { tensor: dy, stride: dim, isExact: true },
        b: { tensor: weight, stride: width },
        y: dRows,
      });
      const dImages = backend.output(images.shape);
      const size = sizeOf(images);
      backend.run(patchPixelsProgram, {
        reads: [dRows],
        writes: [dImages],
        scalars: { ...scalars, size },
        groups: groupsFor(size),
      });
      backend.free(dRows);
      return [...gradients, dImages];
    },
  ),
];

/** The sizes of pictures cut into patches. */
function gridOf({ images, weight }: Weights) {
  const [pictures, rows, columns, channels] = images.shape as [number, number, number, number];
  const [dim, , patch] = weight.shape as [number, number, number, number];
  const [down, across] = [Math.floor(rows / patch), Math.floor(columns / patch)];
  const tokens = 1 + down * across;
  return {
    pictures,
    dim,
    tokens,
    rows: pictures * tokens,
    width: channels * patch * patch,
    scalars: { rows, columns, channels, side: patch, down, across },
  };
}

function patchRows(backend: DinoWebGPUBackend, inputs: Weights): tf.TensorInfo {
  const { rows, width, scalars } = gridOf(inputs);
  const y = backend.output([rows, width]);
  const size = rows * width;
  backend.run(patchRowsProgram, {
    reads: [inputs.images],
    writes: [y],
    scalars: { ...scalars, size },
    groups: groupsFor(size),
  });
  return y;
}
