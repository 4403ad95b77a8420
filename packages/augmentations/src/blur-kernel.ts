import type { SoftBox } from "./blur.ts";
import { freeAddress } from "./held-picture.ts";
import { kernels, vector, vectors } from "./kernels.ts";

/** The largest radius whose sums of bytes the kernels' 16 bits hold. */
const radiusAtMost = 128;

/** Blurs RGB bytes in place by the kernels, where there are any and room enough; says whether it is done. */
export function blurByKernel(
  data: Uint8Array,
  { width, height }: { readonly width: number; readonly height: number },
  { radius, inner, outer }: SoftBox,
): boolean {
  const made = kernels();
  if (made === undefined || radius > radiusAtMost) return false;
  const { transpose, blurColumns } = made.loops;
  // Upright, and lying on its side: then rows are columns, which the kernel blurs.
  const stride = vectors(3 * width);
  const sideStride = vectors(3 * height);
  const dataAt = freeAddress();
  const oneAt = dataAt + vectors(data.length);
  const room = Math.max(height * stride, width * sideStride);
  const twoAt = oneAt + room;
  const memory = made.memory(twoAt + room + vector);
  if (memory === undefined) return false;

  memory.set(data, dataAt);
  transpose(dataAt, 3 * width, height, width, oneAt, sideStride);
  blurColumns(oneAt, sideStride, width, 3 * height, radius, inner, outer, twoAt);
  blurColumns(twoAt, sideStride, width, 3 * height, radius, inner, outer, oneAt);
  blurColumns(oneAt, sideStride, width, 3 * height, radius, inner, outer, twoAt);
  transpose(twoAt, sideStride, width, height, oneAt, stride);
  blurColumns(oneAt, stride, height, 3 * width, radius, inner, outer, twoAt);
  blurColumns(twoAt, stride, height, 3 * width, radius, inner, outer, oneAt);
  blurColumns(oneAt, stride, height, 3 * width, radius, inner, outer, twoAt);
  for (let y = 0; y < height; y++) {
    const row = twoAt + y * stride;
    data.set(memory.subarray(row, row + 3 * width), 3 * y * width);
  }
  return true;
}
