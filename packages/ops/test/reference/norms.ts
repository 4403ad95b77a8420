import { at, linear, type Values } from "./linear.ts";

/** Normalises each row of `dim` values, then scales and shifts. */
export function layerNorm(
  x: Values,
  weight: Values,
  bias: Values,
  dim: number,
  epsilon: number,
): Values {
  const y = new Float64Array(x.length);
  for (let first = 0; first < x.length; first += dim) {
    const row = x.subarray(first, first + dim);
    const { mean, variance } = moments(row);
    for (let i = 0; i < dim; i++) {
      y[first + i] =
        ((at(row, i) - mean) / Math.sqrt(variance + epsilon)) * at(weight, i) + at(bias, i);
    }
  }
  return y;
}

/** Normalises each column with its own moments, then scales and shifts. */
export function batchNorm(
  x: Values,
  weight: Values,
  bias: Values,
  epsilon: number,
): { readonly output: Values; readonly mean: Values; readonly variance: Values } {
  const channels = weight.length;
  const output = new Float64Array(x.length);
  const means = new Float64Array(channels);
  const variances = new Float64Array(channels);
  for (let c = 0; c < channels; c++) {
    const { mean, variance } = moments(x.filter((_, i) => i % channels === c));
    means[c] = mean;
    variances[c] = variance;
    for (let i = c; i < x.length; i += channels) {
      output[i] = ((at(x, i) - mean) / Math.sqrt(variance + epsilon)) * at(weight, c) + at(bias, c);
    }
  }
  return { output, mean: means, variance: variances };
}

function moments(values: Values): { readonly mean: number; readonly variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, variance };
}

/** Rows of length 1; rows shorter than `epsilon` are divided by it. */
export function l2Normalize(x: Values, dim: number, epsilon: number): Values {
  const y = new Float64Array(x.length);
  for (let first = 0; first < x.length; first += dim) {
    const norm = Math.max(length(x.subarray(first, first + dim)), epsilon);
    for (let i = first; i < first + dim; i++) y[i] = at(x, i) / norm;
  }
  return y;
}

export function weightNormLinear(x: Values, gain: Values, direction: Values): Values {
  const inputs = direction.length / gain.length;
  const weight = new Float64Array(direction.length);
  for (let o = 0; o < gain.length; o++) {
    const row = direction.subarray(o * inputs, (o + 1) * inputs);
    for (let i = 0; i < inputs; i++)
      weight[o * inputs + i] = (at(gain, o) * at(row, i)) / length(row);
  }
  return linear(x, weight, undefined, inputs);
}

/** The Euclidean norm. */
export function length(values: Values): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}
