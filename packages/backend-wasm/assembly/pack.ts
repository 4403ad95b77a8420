/** Rows of a tile of a product. */
export const tileRows: i32 = 4;
/** Columns of a tile of a product. */
export const tileColumns: i32 = 8;

/**
 * Copies a block `[count, depth]` into panels of `width` (4 or 8) lines: place after place, the
 * lines' values beside each other. Lines and places lie `line` and `place` bytes apart. A panel
 * that is not full repeats its last line, whose results nobody stores.
 */
export function pack(
  from: usize,
  line: usize,
  place: usize,
  count: i32,
  depth: i32,
  width: i32,
  to: usize,
): void {
  const step = (<usize>width) << 2;
  for (let first = 0; first < count; first += width) {
    for (let four = 0; four < width; four += 4) {
      const panel = from + <usize>first * line;
      const left = count - first - 1;
      const out = to + ((<usize>four) << 2);
      if (line === 4 && four + 3 <= left) {
        copyLines(panel + ((<usize>four) << 2), place, depth, out, step);
      } else {
        turnLines(
          panel + <usize>min(four, left) * line,
          panel + <usize>min(four + 1, left) * line,
          panel + <usize>min(four + 2, left) * line,
          panel + <usize>min(four + 3, left) * line,
          place,
          depth,
          out,
          step,
        );
      }
    }
    to += <usize>depth * step;
  }
}

/** Four lines that lie beside each other already. */
function copyLines(from: usize, place: usize, depth: i32, to: usize, step: usize): void {
  for (let k = 0; k < depth; k++) {
    v128.store(to, v128.load(from));
    from += place;
    to += step;
  }
}

/** Four lines from wherever they lie, four places at a time where these are beside each other. */
function turnLines(
  a: usize,
  b: usize,
  c: usize,
  d: usize,
  place: usize,
  depth: i32,
  to: usize,
  step: usize,
): void {
  let k = 0;
  if (place === 4) {
    for (; k + 4 <= depth; k += 4) {
      const va = v128.load(a);
      const vb = v128.load(b);
      const vc = v128.load(c);
      const vd = v128.load(d);
      const abLow = v128.shuffle<i32>(va, vb, 0, 4, 1, 5);
      const abHigh = v128.shuffle<i32>(va, vb, 2, 6, 3, 7);
      const cdLow = v128.shuffle<i32>(vc, vd, 0, 4, 1, 5);
      const cdHigh = v128.shuffle<i32>(vc, vd, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<i64>(abLow, cdLow, 0, 2));
      v128.store(to + step, v128.shuffle<i64>(abLow, cdLow, 1, 3));
      v128.store(to + 2 * step, v128.shuffle<i64>(abHigh, cdHigh, 0, 2));
      v128.store(to + 3 * step, v128.shuffle<i64>(abHigh, cdHigh, 1, 3));
      a += 16;
      b += 16;
      c += 16;
      d += 16;
      to += 4 * step;
    }
  }
  for (; k < depth; k++) {
    store<f32>(to, load<f32>(a));
    store<f32>(to, load<f32>(b), 4);
    store<f32>(to, load<f32>(c), 8);
    store<f32>(to, load<f32>(d), 12);
    a += place;
    b += place;
    c += place;
    d += place;
    to += step;
  }
}
