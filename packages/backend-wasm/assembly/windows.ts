/**
 * Copies what a convolution's kernel sees at every place of some pictures into rows, `[pictures *
 * outRows * outColumns, kernelRows * kernelColumns * channels]`; outside of a picture it sees
 * zeros. Pictures are `[pictures, rows, columns, channels]`.
 */
export function gatherWindows(
  images: usize,
  pictures: i32,
  rows: i32,
  columns: i32,
  channels: i32,
  kernelRows: i32,
  kernelColumns: i32,
  strideRows: i32,
  strideColumns: i32,
  top: i32,
  left: i32,
  outRows: i32,
  outColumns: i32,
  windows: usize,
): void {
  const pixel = (<usize>channels) << 2;
  const run = <usize>kernelColumns * pixel;
  for (let picture = 0; picture < pictures; picture++) {
    for (let outRow = 0; outRow < outRows; outRow++) {
      for (let outColumn = 0; outColumn < outColumns; outColumn++) {
        const first = outColumn * strideColumns - left;
        const from = max(0, -first);
        const count = min(kernelColumns, columns - first) - from;
        const before = <usize>from * pixel;
        const length = count > 0 ? <usize>count * pixel : 0;
        for (let kernelRow = 0; kernelRow < kernelRows; kernelRow++) {
          const row = outRow * strideRows - top + kernelRow;
          if (row < 0 || row >= rows || length === 0) {
            memory.fill(windows, 0, run);
          } else {
            if (before) memory.fill(windows, 0, before);
            copy(images + <usize>(row * columns + first + from) * pixel, windows + before, length);
            const end = before + length;
            if (end < run) memory.fill(windows + end, 0, run - end);
          }
          windows += run;
        }
      }
    }
    images += <usize>(rows * columns) * pixel;
  }
}

/** A short run is copied by hand: `memory.copy` is a call of the host. */
function copy(from: usize, to: usize, bytes: usize): void {
  if (bytes >= 512) {
    memory.copy(to, from, bytes);
    return;
  }
  const whole = bytes & ~15;
  for (let at: usize = 0; at < whole; at += 16) v128.store(to + at, v128.load(from + at));
  for (let at = whole; at < bytes; at += 4) store<f32>(to + at, load<f32>(from + at));
}

/** The way back: adds every window to the pixels that it saw. */
export function addWindows(
  windows: usize,
  pictures: i32,
  rows: i32,
  columns: i32,
  channels: i32,
  kernelRows: i32,
  kernelColumns: i32,
  strideRows: i32,
  strideColumns: i32,
  top: i32,
  left: i32,
  outRows: i32,
  outColumns: i32,
  images: usize,
): void {
  const pixel = (<usize>channels) << 2;
  const run = <usize>kernelColumns * pixel;
  for (let picture = 0; picture < pictures; picture++) {
    for (let outRow = 0; outRow < outRows; outRow++) {
      for (let outColumn = 0; outColumn < outColumns; outColumn++) {
        const first = outColumn * strideColumns - left;
        const from = max(0, -first);
        const count = min(kernelColumns, columns - first) - from;
        for (let kernelRow = 0; kernelRow < kernelRows; kernelRow++) {
          const row = outRow * strideRows - top + kernelRow;
          if (row >= 0 && row < rows && count > 0) {
            add(
              windows + <usize>from * pixel,
              images + <usize>(row * columns + first + from) * pixel,
              <usize>count * pixel,
            );
          }
          windows += run;
        }
      }
    }
    images += <usize>(rows * columns) * pixel;
  }
}

function add(from: usize, to: usize, bytes: usize): void {
  const whole = bytes & ~15;
  for (let at: usize = 0; at < whole; at += 16) {
    v128.store(to + at, f32x4.add(v128.load(to + at), v128.load(from + at)));
  }
  for (let at = whole; at < bytes; at += 4) {
    store<f32>(to + at, load<f32>(to + at) + load<f32>(from + at));
  }
}

/**
 * The gradient of a maximum over windows: each goes to the first of its largest pixels. What lies
 * outside of a picture is never the largest.
 */
export function maxPoolBack(
  dy: usize,
  images: usize,
  pictures: i32,
  rows: i32,
  columns: i32,
  channels: i32,
  kernelRows: i32,
  kernelColumns: i32,
  strideRows: i32,
  strideColumns: i32,
  top: i32,
  left: i32,
  outRows: i32,
  outColumns: i32,
  dImages: usize,
): void {
  const pixel = (<usize>channels) << 2;
  const size = <usize>(rows * columns) * pixel;
  memory.fill(dImages, 0, <usize>pictures * size);
  for (let picture = 0; picture < pictures; picture++) {
    for (let outRow = 0; outRow < outRows; outRow++) {
      const firstRow = max(0, outRow * strideRows - top);
      const endRow = min(rows, outRow * strideRows - top + kernelRows);
      for (let outColumn = 0; outColumn < outColumns; outColumn++) {
        const firstColumn = max(0, outColumn * strideColumns - left);
        const endColumn = min(columns, outColumn * strideColumns - left + kernelColumns);
        for (let channel: usize = 0; channel < pixel; channel += 4) {
          let found: usize = channel;
          let most: f32 = -Infinity;
          let isFirst = true;
          for (let row = firstRow; row < endRow; row++) {
            for (let column = firstColumn; column < endColumn; column++) {
              const at = <usize>(row * columns + column) * pixel + channel;
              const value = load<f32>(images + at);
              if (isFirst || value > most) {
                found = at;
                most = value;
                isFirst = false;
              }
            }
          }
          if (!isFirst) {
            const to = dImages + found;
            store<f32>(to, load<f32>(to) + load<f32>(dy + channel));
          }
        }
        dy += pixel;
      }
    }
    images += size;
    dImages += size;
  }
}
