import { type Arithmetic, program, type Value } from "./program.ts";

/** The normal distribution function; the exact GELU is `x` times it. */
function normalCdf({ add, erf, mul }: Arithmetic, x: Value): Value {
  return mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);
}

/** The derivative of the exact GELU. */
function geluSlope({ add, exp, mul, square }: Arithmetic, x: Value, cdf: Value): Value {
  const density = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return add(cdf, mul(x, density));
}

/** The arithmetic of operations' kernels that is a matter of memory and not of products. */
export const kernelPrograms = {
  gelu: program("gelu", ["x"], (a, { x }) => [a.mul(x, normalCdf(a, x))]),

  geluBackward: program("geluBackward", ["dy", "x"], (a, { dy, x }) => [
    a.mul(dy, geluSlope(a, x, normalCdf(a, x))),
  ]),

  geluParts: program("geluParts", ["x"], (a, { x }) => {
    const cdf = normalCdf(a, x);
    return [a.mul(x, cdf), geluSlope(a, x, cdf)];
  }),

  layerNorm: program("layerNorm", ["x", "weight", "bias", "epsilon"], (a, inputs) => {
    const mean = a.rowMean(inputs.x);
    const centred = a.sub(inputs.x, mean);
    const inverseStd = a.rsqrt(a.add(a.rowMean(a.square(centred)), inputs.epsilon));
    const y = a.add(a.mul(a.mul(centred, inverseStd), inputs.weight), inputs.bias);
    return [y, mean, inverseStd];
  }),

  layerNormAgain: program(
    "layerNormAgain",
    ["x", "weight", "bias", "mean", "inverseStd"],
    (a, { x, weight, bias, mean, inverseStd }) => [
      a.add(a.mul(a.mul(a.sub(x, mean), inverseStd), weight), bias),
    ],
  ),

  /** The gradient of `x`, and what has to be summed for the weight's. */
  layerNormBackward: program(
    "layerNormBackward",
    ["dy", "x", "weight", "mean", "inverseStd"],
    (a, { dy, x, weight, mean, inverseStd }) => {
      const normalized = a.mul(a.sub(x, mean), inverseStd);
      const dNormalized = a.mul(dy, weight);
      const along = a.rowMean(a.mul(dNormalized, normalized));
      const centred = a.sub(dNormalized, a.rowMean(dNormalized));
      const dx = a.mul(a.sub(centred, a.mul(normalized, along)), inverseStd);
      return [dx, a.mul(dy, normalized)];
    },
  ),

  /** Of a weight whose rows are `gain * direction / |direction|`: the gain over the norm. */
  rowScale: program("rowScale", ["gain", "direction"], (a, { gain, direction }) => [
    a.mul(gain, a.rsqrt(a.rowSum(a.square(direction)))),
  ]),

  /** The gradients of gain and direction, from that of the weight. */
  weightNormBackward: program(
    "weightNormBackward",
    ["dWeight", "gain", "direction"],
    (a, { dWeight, gain, direction }) => {
      const inverse = a.rsqrt(a.rowSum(a.square(direction)));
      const unit = a.mul(direction, inverse);
      const dGain = a.rowSum(a.mul(dWeight, unit));
      return [dGain, a.mul(a.sub(dWeight, a.mul(unit, dGain)), a.mul(gain, inverse))];
    },
  ),

  adamW: program(
    "adamW",
    [
      ...(["parameter", "gradient", "moment1", "moment2", "shortening", "decay"] as const),
      ...(["beta1", "rest1", "beta2", "rest2", "rate", "correction", "epsilon"] as const),
    ],
    (a, of) => {
      const gradient = a.mul(of.gradient, of.shortening);
      const first = a.add(a.mul(of.moment1, of.beta1), a.mul(gradient, of.rest1));
      const second = a.add(a.mul(of.moment2, of.beta2), a.mul(a.square(gradient), of.rest2));
      const spread = a.add(a.mul(a.sqrt(second), of.correction), of.epsilon);
      const change = a.div(a.mul(first, of.rate), spread);
      return [a.sub(a.mul(of.parameter, of.decay), change), first, second];
    },
  ),

  mixture: program("mixture", ["a", "b", "weightOfA", "weightOfB"], (of, inputs) => [
    of.add(of.mul(inputs.a, inputs.weightOfA), of.mul(inputs.b, inputs.weightOfB)),
  ]),
} as const;
