import type { Pixels } from "@dino/ops";
import { freeAddress, isHeld } from "./held-picture.ts";
import { kernels, vector, vectors } from "./kernels.ts";
import { packedCoefficients } from "./packed-coefficients.ts";
import type { Box } from "./pixels.ts";
import type { Extent, ResizeOptions } from "./resize.ts";

/** `resizeBox` by the kernels, where there are any and room enough; says whether it is done. */
export function resizeByKernel(
  pixels: Pixels,
  box: Box,
  { width, height, filter }: Required<ResizeOptions>,
  out: Uint8Array,
  extent: Extent = box,
): boolean {
  const made = kernels();
  if (made === undefined) return false;
  const { resizeRows, resizeColumns } = made.loops;
  const across = packedCoefficients(filter, box.width, width, extent.width);
  const down = packedCoefficients(filter, box.height, height, extent.height);
  const stride = 3 * pixels.width;
  const top = box.top * stride;
  const here = isHeld(pixels.data);
  const rows = here ? undefined : pixels.data.subarray(top, top + box.height * stride);

  const rowsAt = freeAddress();
  const acrossAt = rowsAt + vectors(rows?.length ?? 0);
  const downAt = acrossAt + vectors(across.bytes.length);
  const betweenAt = downAt + vectors(down.bytes.length);
  const betweenStride = vectors(3 * width) + vector;
  const outAt = betweenAt + (box.height + 3) * betweenStride;
  // Up to three rows behind the last are read. They count for nothing, but have to exist.
  const slack = 3 * Math.max(stride, betweenStride) + vector;
  const memory = made.memory(outAt + vectors(out.length) + slack);
  if (memory === undefined) return false;

  if (rows) memory.set(rows, rowsAt);
  memory.set(across.bytes, acrossAt);
  memory.set(down.bytes, downAt);
  const source = (here ? top : rowsAt) + 3 * box.left;
  const acrossWeights = acrossAt + across.weights;
  const downWeights = downAt + down.weights;
  resizeRows(source, stride, box.height, acrossAt, acrossWeights, width, betweenAt, betweenStride);
  resizeColumns(betweenAt, betweenStride, downAt, downWeights, height, 3 * width, outAt);
  out.set(memory.subarray(outAt, outAt + out.length));
  return true;
}
