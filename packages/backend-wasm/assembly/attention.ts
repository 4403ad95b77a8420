import { product, productScratch } from "./product.ts";
import { softmax, softmaxBack } from "./softmax.ts";

/** Bytes that the attention of sequences of so many tokens needs to work in. */
export function attentionScratch(tokens: i32): usize {
  return productScratch + (((<usize>tokens * <usize>tokens) << 2) + 16) * 2;
}

/**
 * Attention within every sequence of so many tokens, head by head: queries `q` with `qRow` bytes
 * from token to token, keys `k` and values `v` with `kRow` bytes, to `y` with `yRow` bytes. The
 * first `asking` tokens of each sequence ask: all of them, or the class token alone.
 */
export function attend(
  q: usize,
  qRow: usize,
  k: usize,
  v: usize,
  kRow: usize,
  y: usize,
  yRow: usize,
  sequences: i32,
  asking: i32,
  tokens: i32,
  heads: i32,
  width: i32,
  scratch: usize,
): void {
  const scale = <f32>1 / sqrt<f32>(<f32>width);
  const p = scratch + productScratch;
  const pRow = (<usize>tokens) << 2;
  for (let sequence = 0; sequence < sequences; sequence++) {
    for (let head = 0; head < heads; head++) {
      const at = (<usize>(head * width)) << 2;
      product(q + at, qRow, 4, k + at, 4, kRow, p, pRow, asking, tokens, width, 0, false, scratch);
      softmax(p, scale, asking, tokens, p);
      product(p, pRow, 4, v + at, kRow, 4, y + at, yRow, asking, width, tokens, 0, false, scratch);
    }
    q += <usize>asking * qRow;
    k += <usize>tokens * kRow;
    v += <usize>tokens * kRow;
    y += <usize>asking * yRow;
  }
}

/** What each token attends to: `[sequences, heads, tokens, tokens]`. */
export function attentionWeights(
  q: usize,
  k: usize,
  row: usize,
  weights: usize,
  sequences: i32,
  tokens: i32,
  heads: i32,
  width: i32,
  scratch: usize,
): void {
  const scale = <f32>1 / sqrt<f32>(<f32>width);
  const pRow = (<usize>tokens) << 2;
  for (let sequence = 0; sequence < sequences; sequence++) {
    for (let head = 0; head < heads; head++) {
      const at = (<usize>(head * width)) << 2;
      product(
        q + at,
        row,
        4,
        k + at,
        4,
        row,
        weights,
        pRow,
        tokens,
        tokens,
        width,
        0,
        false,
        scratch,
      );
      softmax(weights, scale, tokens, tokens, weights);
      weights += <usize>tokens * pRow;
    }
    q += <usize>tokens * row;
    k += <usize>tokens * row;
  }
}

/** The gradients of `attend`, with the same strides as what they are gradients of. */
export function attendBack(
  q: usize,
  qRow: usize,
  k: usize,
  v: usize,
  kRow: usize,
  dy: usize,
  yRow: usize,
  dq: usize,
  dk: usize,
  dv: usize,
  sequences: i32,
  asking: i32,
  tokens: i32,
  heads: i32,
  width: i32,
  scratch: usize,
): void {
  const scale = <f32>1 / sqrt<f32>(<f32>width);
  const p = scratch + productScratch;
  const pRow = (<usize>tokens) << 2;
  const dp = p + ((<usize>asking * pRow + 15) & ~15);
  for (let sequence = 0; sequence < sequences; sequence++) {
    for (let head = 0; head < heads; head++) {
      const at = (<usize>(head * width)) << 2;
      product(q + at, qRow, 4, k + at, 4, kRow, p, pRow, asking, tokens, width, 0, false, scratch);
      softmax(p, scale, asking, tokens, p);
      // dv = pᵀ dy
      product(
        p,
        4,
        pRow,
        dy + at,
        yRow,
        4,
        dv + at,
        kRow,
        tokens,
        width,
        asking,
        0,
        false,
        scratch,
      );
      // dp = dy vᵀ
      product(
        dy + at,
        yRow,
        4,
        v + at,
        4,
        kRow,
        dp,
        pRow,
        asking,
        tokens,
        width,
        0,
        false,
        scratch,
      );
      softmaxBack(p, dp, scale, asking, tokens);
      product(
        dp,
        pRow,
        4,
        k + at,
        kRow,
        4,
        dq + at,
        qRow,
        asking,
        width,
        tokens,
        0,
        false,
        scratch,
      );
      product(
        dp,
        4,
        pRow,
        q + at,
        qRow,
        4,
        dk + at,
        kRow,
        tokens,
        width,
        asking,
        0,
        false,
        scratch,
      );
    }
    q += <usize>asking * qRow;
    dq += <usize>asking * qRow;
    k += <usize>tokens * kRow;
    v += <usize>tokens * kRow;
    dk += <usize>tokens * kRow;
    dv += <usize>tokens * kRow;
    dy += <usize>asking * yRow;
  }
}
