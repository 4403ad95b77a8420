/** One head of one sequence in float64, which JavaScript adds and multiplies without converting. */
export interface Head {
  readonly tokens: number;
  readonly width: number;
  /** `[tokens, width]`, like `k`, `v` and the gradient of the output. */
  readonly q: Float64Array;
  readonly k: Float64Array;
  readonly v: Float64Array;
  readonly dOut: Float64Array;
  /** Probabilities, `[tokens, tokens]`. */
  readonly p: Float64Array;
  /** Gradients of the products of queries and keys, `[tokens, tokens]`. */
  readonly s: Float64Array;
}

export function headScratch(tokens: number, width: number): Head {
  const rows = () => new Float64Array(tokens * width);
  const square = () => new Float64Array(tokens * tokens);
  return { tokens, width, q: rows(), k: rows(), v: rows(), dOut: rows(), p: square(), s: square() };
}

/** Copies a head's columns out of packed rows of `stride` values, and the output's gradient with them. */
export function loadHead(
  { tokens, width, q, k, v, dOut }: Head,
  qkv: Float32Array,
  stride: number,
  row: number,
  column: number,
  slopes?: Float32Array,
): void {
  const dim = stride / 3;
  for (let token = 0, to = 0; token < tokens; token++) {
    const from = (row + token) * stride + column;
    const slope = (row + token) * dim + column;
    for (let i = 0; i < width; i++, to++) {
      q[to] = qkv[from + i] as number;
      k[to] = qkv[from + dim + i] as number;
      v[to] = qkv[from + 2 * dim + i] as number;
      if (slopes) dOut[to] = slopes[slope + i] as number;
    }
  }
}

/** A query's row of probabilities: softmax of its scaled products with the keys. */
export function probabilities({ tokens, width, q, k, p }: Head, query: number): void {
  const first = query * tokens;
  dots(q, query * width, k, tokens, width, p, first);
  const scale = width ** -0.5;
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = first; i < first + tokens; i++) largest = Math.max(largest, p[i] as number);
  let sum = 0;
  for (let i = first; i < first + tokens; i++) {
    const power = Math.exp(((p[i] as number) - largest) * scale);
    p[i] = power;
    sum += power;
  }
  for (let i = first; i < first + tokens; i++) p[i] = (p[i] as number) / sum;
}

/** The gradients of a query's products with the keys, from its probabilities. */
export function slopes({ tokens, width, v, dOut, p, s }: Head, query: number): void {
  const first = query * tokens;
  dots(dOut, query * width, v, tokens, width, s, first);
  const scale = width ** -0.5;
  let along = 0;
  for (let i = first; i < first + tokens; i++) along += (p[i] as number) * (s[i] as number);
  for (let i = first; i < first + tokens; i++) {
    s[i] = scale * (p[i] as number) * ((s[i] as number) - along);
  }
}

/** The products of one row of `a` with every row of `b`, four at a time. */
function dots(
  a: Float64Array,
  first: number,
  b: Float64Array,
  rows: number,
  width: number,
  out: Float64Array,
  to: number,
): void {
  let row = 0;
  for (; row + 4 <= rows; row += 4) {
    let w = 0;
    let x = 0;
    let y = 0;
    let z = 0;
    for (let i = 0, at = row * width; i < width; i++, at++) {
      const factor = a[first + i] as number;
      w += factor * (b[at] as number);
      x += factor * (b[at + width] as number);
      y += factor * (b[at + 2 * width] as number);
      z += factor * (b[at + 3 * width] as number);
    }
    out[to + row] = w;
    out[to + row + 1] = x;
    out[to + row + 2] = y;
    out[to + row + 3] = z;
  }
  for (; row < rows; row++) {
    let sum = 0;
    for (let i = 0; i < width; i++)
      sum += (a[first + i] as number) * (b[row * width + i] as number);
    out[to + row] = sum;
  }
}

/** The sum of `rows`, each times its weight; weights lie `step` apart. Four columns at a time. */
export function mix(
  weights: Float64Array,
  first: number,
  step: number,
  rows: Float64Array,
  count: number,
  width: number,
  out: Float32Array,
  to: number,
): void {
  let column = 0;
  for (; column + 4 <= width; column += 4) {
    let w = 0;
    let x = 0;
    let y = 0;
    let z = 0;
    for (let row = 0, at = column, i = first; row < count; row++, at += width, i += step) {
      const weight = weights[i] as number;
      w += weight * (rows[at] as number);
      x += weight * (rows[at + 1] as number);
      y += weight * (rows[at + 2] as number);
      z += weight * (rows[at + 3] as number);
    }
    out[to + column] = w;
    out[to + column + 1] = x;
    out[to + column + 2] = y;
    out[to + column + 3] = z;
  }
  for (; column < width; column++) {
    let sum = 0;
    for (let row = 0; row < count; row++) {
      sum += (weights[first + row * step] as number) * (rows[row * width + column] as number);
    }
    out[to + column] = sum;
  }
}
