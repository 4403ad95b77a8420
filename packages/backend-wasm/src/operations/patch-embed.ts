import type * as tf from "@tensorflow/tfjs-core";
import { type Heap, matrix, sizeOf, transposed } from "../heap.ts";
import type { WindowSizes } from "../kernels.ts";
import { type WasmKernel, wasmKernel } from "../wasm-kernel.ts";

interface Inputs {
  readonly images: tf.TensorInfo;
  readonly weight: tf.TensorInfo;
  readonly bias: tf.TensorInfo;
  readonly classToken: tf.TensorInfo;
  readonly positions: tf.TensorInfo;
}
interface Saved {
  readonly dy: tf.TensorInfo;
  readonly images: tf.TensorInfo;
  readonly weight: tf.TensorInfo;
}

/** Pictures, cut into patches; what the grid does not cover is left out. */
interface Grid {
  readonly pictures: number;
  readonly rows: number;
  readonly columns: number;
  readonly channels: number;
  readonly patch: number;
  /** Patches down and across, and of one picture. */
  readonly down: number;
  readonly across: number;
  readonly patches: number;
  /** Values of a patch. */
  readonly size: number;
}

export const patchEmbedKernels: readonly WasmKernel[] = [
  wasmKernel<Inputs>("DinoPatchEmbed", ({ inputs, heap }) => {
    const { images, weight, bias, classToken, positions } = inputs;
    const [tokens, dim] = positions.shape as [number, number];
    const grid = gridOf(images, weight);
    const { pictures, patches, size } = grid;
    const cut = cutPatches(heap, images, grid);
    const kernel = byPixel(heap, weight, grid);
    const embedded = heap.output([pictures * patches, dim]);
    heap.product(
      matrix(heap.at(cut), size),
      transposed(matrix(heap.at(kernel), size)),
      matrix(heap.at(embedded), dim),
      { rows: pictures * patches, columns: dim, inner: size },
      { bias: heap.at(bias) },
    );
    heap.free(cut, kernel);
    const y = heap.output([pictures * tokens, dim]);
    const { copyRuns, addRuns } = heap.kernels;
    const [row, sequence] = [4 * dim, 4 * dim * tokens];
    copyRuns(heap.at(classToken), 0, heap.at(y), sequence, pictures, row);
    const run = row * patches;
    copyRuns(heap.at(embedded), run, heap.at(y) + row, sequence, pictures, run);
    addRuns(heap.at(positions), 0, heap.at(y), sequence, pictures, tokens * dim);
    heap.free(embedded);
    return [y];
  }),

  wasmKernel<Saved, { readonly pixelGradients: boolean }>(
    "DinoPatchEmbedBackward",
    ({ inputs: { dy, images, weight }, attributes: { pixelGradients }, heap }) => {
      const [rows, dim] = dy.shape as [number, number];
      const grid = gridOf(images, weight);
      const { pictures, patches, size } = grid;
      const tokens = rows / pictures;
      const { copyRuns, sumRows, transpose } = heap.kernels;

      const dPositions = heap.output([tokens, dim]);
      sumRows(heap.at(dy), 0, pictures, tokens * dim, 4 * tokens * dim, heap.at(dPositions));
      const dClassToken = heap.output([1, 1, dim]);
      copyRuns(heap.at(dPositions), 0, heap.at(dClassToken), 0, 1, 4 * dim);

      const dRows = heap.output([pictures * patches, dim]);
      const run = 4 * dim * patches;
      copyRuns(heap.at(dy) + 4 * dim, 4 * dim * tokens, heap.at(dRows), run, pictures, run);
      const dBias = heap.output([dim]);
      sumRows(heap.at(dRows), 0, pictures * patches, dim, 4 * dim, heap.at(dBias));

      const cut = cutPatches(heap, images, grid);
      const dByPixel = heap.output([dim, size]);
      heap.product(
        transposed(matrix(heap.at(dRows), dim)),
        matrix(heap.at(cut), size),
        matrix(heap.at(dByPixel), size),
        { rows: dim, columns: size, inner: pictures * patches },
      );
      heap.free(cut);
      const dWeight = heap.output(weight.shape);
      const pixels = grid.patch ** 2;
      transpose(heap.at(dByPixel), dim, pixels, grid.channels, heap.at(dWeight));
      heap.free(dByPixel);

      const gradients = [dWeight, dBias, dClassToken, dPositions];
      if (pixelGradients) gradients.push(pixelsBack(heap, dRows, weight, images, grid));
      heap.free(dRows);
      return gradients;
    },
  ),
];

function gridOf(images: tf.TensorInfo, weight: tf.TensorInfo): Grid {
  const [pictures, rows, columns, channels] = images.shape as [number, number, number, number];
  const patch = weight.shape[2] as number;
  const [down, across] = [Math.floor(rows / patch), Math.floor(columns / patch)];
  const [patches, size] = [down * across, patch * patch * channels];
  return { pictures, rows, columns, channels, patch, down, across, patches, size };
}

/** The kernel as a matrix `[dim, size]` whose columns are in the pixels' order: rows, columns, channels. */
function byPixel(
  heap: Heap,
  weight: tf.TensorInfo,
  { channels, patch, size }: Grid,
): tf.TensorInfo {
  const dim = weight.shape[0] as number;
  const turned = heap.output([dim, size]);
  heap.kernels.transpose(heap.at(weight), dim, channels, patch * patch, heap.at(turned));
  return turned;
}

/** Patches as windows that lie beside each other. */
function windowSizes({
  pictures,
  rows,
  columns,
  channels,
  patch,
  down,
  across,
}: Grid): WindowSizes {
  return [pictures, rows, columns, channels, patch, patch, patch, patch, 0, 0, down, across];
}

/** One row a patch, `[pictures * patches, size]`. */
function cutPatches(heap: Heap, images: tf.TensorInfo, grid: Grid): tf.TensorInfo {
  const cut = heap.output([grid.pictures * grid.patches, grid.size]);
  heap.kernels.gatherWindows(heap.at(images), ...windowSizes(grid), heap.at(cut));
  return cut;
}

/** The pictures' gradient: pixels that no patch covers have none. */
function pixelsBack(
  heap: Heap,
  dRows: tf.TensorInfo,
  weight: tf.TensorInfo,
  images: tf.TensorInfo,
  grid: Grid,
): tf.TensorInfo {
  const [rows, dim] = dRows.shape as [number, number];
  const kernel = byPixel(heap, weight, grid);
  const dCut = heap.output([rows, grid.size]);
  heap.product(
    matrix(heap.at(dRows), dim),
    matrix(heap.at(kernel), grid.size),
    matrix(heap.at(dCut), grid.size),
    { rows, columns: grid.size, inner: dim },
  );
  const dImages = heap.output(images.shape);
  heap.kernels.clear(heap.at(dImages), 4 * sizeOf(images));
  heap.kernels.addWindows(heap.at(dCut), ...windowSizes(grid), heap.at(dImages));
  heap.free(kernel, dCut);
  return dImages;
}
