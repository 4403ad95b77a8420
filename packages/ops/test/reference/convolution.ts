import { at, type Values } from "./linear.ts";

export interface Pictures {
  readonly pictures: number;
  readonly rows: number;
  readonly columns: number;
  readonly channels: number;
}

interface Window {
  readonly size: readonly [rows: number, columns: number];
  readonly stride: number;
  readonly padding: number;
}

/** Calls `visit` with every output place and the pixels under its window, in their order. */
function forEachWindow(
  { pictures, rows, columns }: Pictures,
  { size: [down, across], stride, padding }: Window,
  visit: (pixels: readonly { readonly pixel: number; readonly place: number }[]) => void,
): void {
  for (let picture = 0; picture < pictures; picture++) {
    for (let top = -padding; top + down <= rows + padding; top += stride) {
      for (let left = -padding; left + across <= columns + padding; left += stride) {
        const pixels: { pixel: number; place: number }[] = [];
        for (let place = 0; place < down * across; place++) {
          const row = top + Math.floor(place / across);
          const column = left + (place % across);
          if (row < 0 || row >= rows || column < 0 || column >= columns) continue;
          pixels.push({ pixel: (picture * rows + row) * columns + column, place });
        }
        visit(pixels);
      }
    }
  }
}

/** A convolution of pictures whose channels come last; the kernel is `[out, in, rows, columns]`. */
export function conv2d(x: Values, weight: Values, pictures: Pictures, window: Window): Values {
  const { channels } = pictures;
  const area = window.size[0] * window.size[1];
  const out = weight.length / (channels * area);
  const y: number[] = [];
  forEachWindow(pictures, window, (pixels) => {
    for (let o = 0; o < out; o++) {
      let sum = 0;
      for (const { pixel, place } of pixels) {
        for (let channel = 0; channel < channels; channel++) {
          sum +=
            at(x, pixel * channels + channel) * at(weight, (o * channels + channel) * area + place);
        }
      }
      y.push(sum);
    }
  });
  return Float64Array.from(y);
}

/** Each channel with kernels of its own, `[rows, columns, channels, multiplier]`. */
export function depthwiseConv2d(
  x: Values,
  weight: Values,
  pictures: Pictures,
  window: Window,
): Values {
  const { channels } = pictures;
  const multiplier = weight.length / (channels * window.size[0] * window.size[1]);
  const y: number[] = [];
  forEachWindow(pictures, window, (pixels) => {
    for (let channel = 0; channel < channels; channel++) {
      for (let m = 0; m < multiplier; m++) {
        let sum = 0;
        for (const { pixel, place } of pixels) {
          sum +=
            at(x, pixel * channels + channel) *
            at(weight, (place * channels + channel) * multiplier + m);
        }
        y.push(sum);
      }
    }
  });
  return Float64Array.from(y);
}

export function maxPool2d(x: Values, pictures: Pictures, window: Window): Values {
  const { channels } = pictures;
  const y: number[] = [];
  forEachWindow(pictures, window, (pixels) => {
    for (let channel = 0; channel < channels; channel++) {
      y.push(Math.max(...pixels.map(({ pixel }) => at(x, pixel * channels + channel))));
    }
  });
  return Float64Array.from(y);
}
