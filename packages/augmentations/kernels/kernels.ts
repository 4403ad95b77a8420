// The inner loops of resizing and blurring for WebAssembly's vectors, in AssemblyScript.
// `node kernels/build.mjs` compiles this file to `src/kernels-module.ts`.
//
// Weights have 22 fractional bits, too many for the products of 16 bits that vectors are fast at.
// Each is cut in two, upper * 2 ** 12 + lower, and the sums of both are put together at the end:
// the same 32 bits as by whole products. In memory stand the uppers of two weights, then their
// lowers.
//
// An axis is described by entries of three 32-bit integers, one for each output: which input is
// its first, where its weights begin, and how many bytes they take.
//
// Whole vectors are read and written: up to 16 bytes behind what is meant, so rows that are written
// out of order lie at least as far apart, and memory goes on behind the last one.

/** The sums of both parts of the weights' products, rounded to whole levels. */
function levels(upper: v128, lower: v128): v128 {
  const sum = i32x4.add(i32x4.shl(upper, 12), lower);
  return i32x4.shr_s(i32x4.add(sum, i32x4.splat(1 << 21)), 22);
}

/**
 * Resizes rows of RGB bytes, four at a time: up to three more are written than are asked for. Four
 * inputs are taken at once, paired as `r0 r1 g0 g1 b0 b1` and likewise for the other two.
 */
export function resizeRows(
  source: usize,
  stride: usize,
  rows: i32,
  entries: usize,
  weights: usize,
  width: i32,
  target: usize,
  targetStride: usize,
): void {
  const firstPair = i8x16(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1);
  const secondPair = i8x16(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
  for (let y = 0; y < rows; y += 4) {
    let entry = entries;
    let to = target;
    for (let x = 0; x < width; x++) {
      let from = source + 3 * load<u32>(entry);
      let weight = weights + load<u32>(entry, 4);
      const end = weight + load<u32>(entry, 8);
      let upperA = i32x4.splat(0);
      let lowerA = i32x4.splat(0);
      let upperB = i32x4.splat(0);
      let lowerB = i32x4.splat(0);
      let upperC = i32x4.splat(0);
      let lowerC = i32x4.splat(0);
      let upperD = i32x4.splat(0);
      let lowerD = i32x4.splat(0);
      for (; weight < end; weight += 16) {
        const upper0 = v128.load32_splat(weight);
        const lower0 = v128.load32_splat(weight, 4);
        const upper1 = v128.load32_splat(weight, 8);
        const lower1 = v128.load32_splat(weight, 12);
        const a = v128.load(from);
        const a0 = i8x16.swizzle(a, firstPair);
        const a1 = i8x16.swizzle(a, secondPair);
        upperA = i32x4.add(upperA, i32x4.dot_i16x8_s(a0, upper0));
        lowerA = i32x4.add(lowerA, i32x4.dot_i16x8_s(a0, lower0));
        upperA = i32x4.add(upperA, i32x4.dot_i16x8_s(a1, upper1));
        lowerA = i32x4.add(lowerA, i32x4.dot_i16x8_s(a1, lower1));
        const b = v128.load(from + stride);
        const b0 = i8x16.swizzle(b, firstPair);
        const b1 = i8x16.swizzle(b, secondPair);
        upperB = i32x4.add(upperB, i32x4.dot_i16x8_s(b0, upper0));
        lowerB = i32x4.add(lowerB, i32x4.dot_i16x8_s(b0, lower0));
        upperB = i32x4.add(upperB, i32x4.dot_i16x8_s(b1, upper1));
        lowerB = i32x4.add(lowerB, i32x4.dot_i16x8_s(b1, lower1));
        const c = v128.load(from + 2 * stride);
        const c0 = i8x16.swizzle(c, firstPair);
        const c1 = i8x16.swizzle(c, secondPair);
        upperC = i32x4.add(upperC, i32x4.dot_i16x8_s(c0, upper0));
        lowerC = i32x4.add(lowerC, i32x4.dot_i16x8_s(c0, lower0));
        upperC = i32x4.add(upperC, i32x4.dot_i16x8_s(c1, upper1));
        lowerC = i32x4.add(lowerC, i32x4.dot_i16x8_s(c1, lower1));
        const d = v128.load(from + 3 * stride);
        const d0 = i8x16.swizzle(d, firstPair);
        const d1 = i8x16.swizzle(d, secondPair);
        upperD = i32x4.add(upperD, i32x4.dot_i16x8_s(d0, upper0));
        lowerD = i32x4.add(lowerD, i32x4.dot_i16x8_s(d0, lower0));
        upperD = i32x4.add(upperD, i32x4.dot_i16x8_s(d1, upper1));
        lowerD = i32x4.add(lowerD, i32x4.dot_i16x8_s(d1, lower1));
        from += 12;
      }
      const bytes = i8x16.narrow_i16x8_u(
        i16x8.narrow_i32x4_s(levels(upperA, lowerA), levels(upperB, lowerB)),
        i16x8.narrow_i32x4_s(levels(upperC, lowerC), levels(upperD, lowerD)),
      );
      v128.store32_lane(to, bytes, 0);
      v128.store32_lane(to + targetStride, bytes, 1);
      v128.store32_lane(to + 2 * targetStride, bytes, 2);
      v128.store32_lane(to + 3 * targetStride, bytes, 3);
      to += 3;
      entry += 12;
    }
    source += 4 * stride;
    target += 4 * targetStride;
  }
}

/** Resizes columns of bytes: 16 columns and two of their rows at a time. */
export function resizeColumns(
  source: usize,
  stride: usize,
  entries: usize,
  weights: usize,
  height: i32,
  width: i32,
  target: usize,
): void {
  for (let y = 0; y < height; y++) {
    const start = source + <usize>load<u32>(entries) * stride;
    const begin = weights + load<u32>(entries, 4);
    const end = begin + load<u32>(entries, 8);
    for (let x = 0; x < width; x += 16) {
      let from = start + x;
      let upper0 = i32x4.splat(0);
      let upper1 = i32x4.splat(0);
      let upper2 = i32x4.splat(0);
      let upper3 = i32x4.splat(0);
      let lower0 = i32x4.splat(0);
      let lower1 = i32x4.splat(0);
      let lower2 = i32x4.splat(0);
      let lower3 = i32x4.splat(0);
      for (let weight = begin; weight < end; weight += 8) {
        const a = v128.load(from);
        const b = v128.load(from + stride);
        from += 2 * stride;
        const left = i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        const right = i8x16.shuffle(
          a,
          b,
          8,
          24,
          9,
          25,
          10,
          26,
          11,
          27,
          12,
          28,
          13,
          29,
          14,
          30,
          15,
          31,
        );
        const pairs0 = i16x8.extend_low_i8x16_u(left);
        const pairs1 = i16x8.extend_high_i8x16_u(left);
        const pairs2 = i16x8.extend_low_i8x16_u(right);
        const pairs3 = i16x8.extend_high_i8x16_u(right);
        const upper = v128.load32_splat(weight);
        const lower = v128.load32_splat(weight, 4);
        upper0 = i32x4.add(upper0, i32x4.dot_i16x8_s(pairs0, upper));
        lower0 = i32x4.add(lower0, i32x4.dot_i16x8_s(pairs0, lower));
        upper1 = i32x4.add(upper1, i32x4.dot_i16x8_s(pairs1, upper));
        lower1 = i32x4.add(lower1, i32x4.dot_i16x8_s(pairs1, lower));
        upper2 = i32x4.add(upper2, i32x4.dot_i16x8_s(pairs2, upper));
        lower2 = i32x4.add(lower2, i32x4.dot_i16x8_s(pairs2, lower));
        upper3 = i32x4.add(upper3, i32x4.dot_i16x8_s(pairs3, upper));
        lower3 = i32x4.add(lower3, i32x4.dot_i16x8_s(pairs3, lower));
      }
      const left = i16x8.narrow_i32x4_s(levels(upper0, lower0), levels(upper1, lower1));
      const right = i16x8.narrow_i32x4_s(levels(upper2, lower2), levels(upper3, lower3));
      v128.store(target + x, i8x16.narrow_i16x8_u(left, right));
    }
    entries += 12;
    target += width;
  }
}

/** Rows become columns, pixel by pixel. */
export function transpose(
  source: usize,
  stride: usize,
  height: i32,
  width: i32,
  target: usize,
  targetStride: usize,
): void {
  for (let y = 0; y < height; y++) {
    let from = source;
    let to = target;
    for (let x = 0; x < width; x++) {
      store<u16>(to, load<u16>(from));
      store<u8>(to, load<u8>(from, 2), 2);
      from += 3;
      to += targetStride;
    }
    source += stride;
    target += 3;
  }
}

/** Four sums and the bytes at their ends, weighted with 24 fractional bits and rounded. */
function blurred(sum: v128, ends: v128, inner: v128, outer: v128): v128 {
  const weighted = i32x4.add(i32x4.mul(sum, inner), i32x4.mul(ends, outer));
  return i32x4.shr_u(i32x4.add(weighted, i32x4.splat(0x800000)), 24);
}

/** One blur along columns by a box of `2 * radius + 1` rows with soft ends, 16 columns at a time. */
export function blurColumns(
  source: usize,
  stride: usize,
  height: i32,
  width: i32,
  radius: i32,
  innerWeight: i32,
  outerWeight: i32,
  target: usize,
): void {
  const inner = i32x4.splat(innerWeight);
  const outer = i32x4.splat(outerWeight);
  const last = height - 1;
  for (let x = 0; x < width; x += 16) {
    const column = source + x;
    let to = target + x;
    let sumLow = i16x8.splat(0);
    let sumHigh = i16x8.splat(0);
    for (let y = -radius; y <= radius; y++) {
      const row = v128.load(column + <usize>min(max(y, 0), last) * stride);
      sumLow = i16x8.add(sumLow, i16x8.extend_low_i8x16_u(row));
      sumHigh = i16x8.add(sumHigh, i16x8.extend_high_i8x16_u(row));
    }
    let before = v128.load(column);
    for (let y = 0; y < height; y++) {
      const after = v128.load(column + <usize>min(y + radius + 1, last) * stride);
      const afterLow = i16x8.extend_low_i8x16_u(after);
      const afterHigh = i16x8.extend_high_i8x16_u(after);
      const endsLow = i16x8.add(afterLow, i16x8.extend_low_i8x16_u(before));
      const endsHigh = i16x8.add(afterHigh, i16x8.extend_high_i8x16_u(before));
      const low = i16x8.narrow_i32x4_u(
        blurred(i32x4.extend_low_i16x8_u(sumLow), i32x4.extend_low_i16x8_u(endsLow), inner, outer),
        blurred(
          i32x4.extend_high_i16x8_u(sumLow),
          i32x4.extend_high_i16x8_u(endsLow),
          inner,
          outer,
        ),
      );
      const high = i16x8.narrow_i32x4_u(
        blurred(
          i32x4.extend_low_i16x8_u(sumHigh),
          i32x4.extend_low_i16x8_u(endsHigh),
          inner,
          outer,
        ),
        blurred(
          i32x4.extend_high_i16x8_u(sumHigh),
          i32x4.extend_high_i16x8_u(endsHigh),
          inner,
          outer,
        ),
      );
      v128.store(to, i8x16.narrow_i16x8_u(low, high));
      to += stride;
      before = v128.load(column + <usize>max(y - radius, 0) * stride);
      sumLow = i16x8.sub(i16x8.add(sumLow, afterLow), i16x8.extend_low_i8x16_u(before));
      sumHigh = i16x8.sub(i16x8.add(sumHigh, afterHigh), i16x8.extend_high_i8x16_u(before));
    }
  }
}
