/** Float64 values in row-major order. */
export type Values = Float64Array;

/** The error function by Kummer's series, whose terms are all of one sign. */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

export const activations = {
  none: (x: number): number => x,
  gelu: (x: number): number => 0.5 * x * (1 + erf(x * Math.SQRT1_2)),
  relu: (x: number): number => Math.max(x, 0),
} as const;

/** `activation(x wᵀ + b)`; the sizes come from the arrays and from `inputs`. */
export function linear(
  x: Values,
  weight: Values,
  bias: Values | undefined,
  inputs: number,
  activation: keyof typeof activations = "none",
): Values {
  const rows = x.length / inputs;
  const out = weight.length / inputs;
  const y = new Float64Array(rows * out);
  for (let row = 0; row < rows; row++) {
    for (let o = 0; o < out; o++) {
      let sum = bias ? at(bias, o) : 0;
      for (let i = 0; i < inputs; i++) sum += at(x, row * inputs + i) * at(weight, o * inputs + i);
      y[row * out + o] = activations[activation](sum);
    }
  }
  return y;
}

/** An element that must be there. */
export function at(values: ArrayLike<number>, index: number): number {
  const value = values[index];
  if (value === undefined) throw new RangeError(`${index} is outside of ${values.length} values`);
  return value;
}
