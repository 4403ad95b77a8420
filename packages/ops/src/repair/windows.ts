import type * as tf from "@tensorflow/tfjs-core";

/** Sizes, strides and padding of a convolution over pictures whose channels come last. */
export type Convolution = tf.backend_util.Conv2DInfo;

/**
 * Copies what the kernel sees at every place of some pictures into rows, `[pictures * rows *
 * columns, kernel rows * kernel columns * channels]`; outside of a picture it sees zeros.
 */
export function gatherWindows(
  pictures: Float32Array,
  windows: Float32Array,
  convolution: Convolution,
  first: number,
  count: number,
): void {
  windows.fill(0);
  forEachRun(convolution, first, count, (pixel, place, length) => {
    for (let i = 0; i < length; i++) windows[place + i] = pictures[pixel + i] as number;
  });
}

/** The way back: adds every window to the pixels that it saw. */
export function addWindows(
  windows: Float32Array,
  pictures: Float32Array,
  convolution: Convolution,
  first: number,
  count: number,
): void {
  forEachRun(convolution, first, count, (pixel, place, length) => {
    for (let i = 0; i < length; i++) {
      pictures[pixel + i] = (pictures[pixel + i] as number) + (windows[place + i] as number);
    }
  });
}

/** Calls `visit` with every run of values that a picture and a window have in common. */
function forEachRun(
  convolution: Convolution,
  first: number,
  count: number,
  visit: (pixel: number, place: number, length: number) => void,
): void {
  const { inHeight, inWidth, inChannels, outHeight, outWidth } = convolution;
  const { filterHeight, filterWidth, strideHeight, strideWidth, padInfo } = convolution;
  let window = 0;
  for (let picture = first; picture < first + count; picture++) {
    for (let outRow = 0; outRow < outHeight; outRow++) {
      for (let outColumn = 0; outColumn < outWidth; outColumn++) {
        const left = outColumn * strideWidth - padInfo.left;
        const from = Math.max(0, -left);
        const length = (Math.min(filterWidth, inWidth - left) - from) * inChannels;
        for (let kernelRow = 0; kernelRow < filterHeight; kernelRow++) {
          const row = outRow * strideHeight - padInfo.top + kernelRow;
          if (row >= 0 && row < inHeight && length > 0) {
            const pixel = ((picture * inHeight + row) * inWidth + left + from) * inChannels;
            visit(pixel, window + (kernelRow * filterWidth + from) * inChannels, length);
          }
        }
        window += filterHeight * filterWidth * inChannels;
      }
    }
  }
}
