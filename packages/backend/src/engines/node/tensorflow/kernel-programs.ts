import { type Arithmetic, type Program, program, type Value } from "./program.ts";

/** The normal distribution function; the exact GELU is `x` times it. */
function normalCdf({ add, erf, mul }: Arithmetic, x: Value): Value {
  return mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);
}

/** The derivative of the exact GELU. */
function geluSlope({ add, exp, mul, square }: Arithmetic, x: Value, cdf: Value): Value {
  const density = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return add(cdf, mul(x, density));
}

const layerNormSlopes = [
  ...(["dy", "x", "weight", "mean", "inverseStd", "average", "along"] as const),
] as const;

function layerNormGradient(
  a: Arithmetic,
  of: Readonly<Record<(typeof layerNormSlopes)[number], Value>>,
): Value {
  const normalized = a.mul(a.sub(of.x, of.mean), of.inverseStd);
  const centred = a.sub(a.mul(of.dy, of.weight), of.average);
  return a.mul(a.sub(centred, a.mul(normalized, of.along)), of.inverseStd);
}

const adamWTensors = ["parameter", "gradient", "moment1", "moment2", "shortening"] as const;
const adamWNumbers = [
  ...(["decay", "beta1", "rest1", "beta2", "rest2", "rate", "correction", "epsilon"] as const),
] as const;

/** The next parameter and moments; everything that depends on the step alone comes as a number. */
function adamW(
  a: Arithmetic,
  of: Readonly<Record<(typeof adamWTensors)[number] | (typeof adamWNumbers)[number], Value>>,
): readonly [parameter: Value, moment1: Value, moment2: Value] {
  const gradient = a.mul(of.gradient, of.shortening);
  const first = a.add(a.mul(of.moment1, of.beta1), a.mul(gradient, of.rest1));
  const second = a.add(a.mul(of.moment2, of.beta2), a.mul(a.square(gradient), of.rest2));
  const spread = a.add(a.mul(a.sqrt(second), of.correction), of.epsilon);
  const change = a.div(a.mul(first, of.rate), spread);
  return [a.sub(a.mul(of.parameter, of.decay), change), first, second];
}

function mixture(
  { add, mul }: Arithmetic,
  a: Value,
  b: Value,
  weightOfA: Value,
  weightOfB: Value,
): Value {
  return add(mul(a, weightOfA), mul(b, weightOfB));
}

/** The programs, by their names. */
export type KernelProgram =
  | "affine"
  | "gelu"
  | "geluBackward"
  | "geluBoth"
  | "layerNorm"
  | "layerNormAgain"
  | "timesNormalized"
  | "layerNormGradient"
  | "layerNormGradientOnto"
  | "shortening"
  | "adamW"
  | "adamWAverage"
  | "ema"
  | "scaledDifference";

/** The arithmetic of operations' kernels that is a matter of memory and not of products. */
export const kernelPrograms: Readonly<Record<KernelProgram, Program>> = {
  affine: program(
    "affine",
    ["x", "weight", "bias"],
    (a, { x, weight, bias }) => [a.affine(x, weight, bias)],
    { compiles: false },
  ),

  gelu: program("gelu", ["x"], (a, { x }) => [a.mul(x, normalCdf(a, x))]),

  geluBackward: program("geluBackward", ["dy", "x"], (a, { dy, x }) => [
    a.mul(dy, geluSlope(a, x, normalCdf(a, x))),
  ]),

  geluBoth: program("geluBoth", ["dy", "x"], (a, { dy, x }) => {
    const cdf = normalCdf(a, x);
    return [a.mul(x, cdf), a.mul(dy, geluSlope(a, x, cdf))];
  }),

  layerNorm: program(
    "layerNorm",
    ["x", "weight", "bias"],
    (a, inputs) => {
      const mean = a.rowMean(inputs.x);
      const centred = a.sub(inputs.x, mean);
      const inverseStd = a.rsqrt(a.add(a.rowMean(a.square(centred)), inputs.epsilon));
      const y = a.add(a.mul(a.mul(centred, inverseStd), inputs.weight), inputs.bias);
      return [y, mean, inverseStd];
    },
    { numbers: ["epsilon"] },
  ),

  layerNormAgain: program(
    "layerNormAgain",
    ["x", "weight", "bias", "mean", "inverseStd"],
    (a, { x, weight, bias, mean, inverseStd }) => [
      a.add(a.mul(a.mul(a.sub(x, mean), inverseStd), weight), bias),
    ],
  ),

  /** Rows times what `layerNorm` makes of `x` before weight and bias. */
  timesNormalized: program(
    "timesNormalized",
    ["dy", "x", "mean", "inverseStd"],
    (a, { dy, x, mean, inverseStd }) => [a.mul(dy, a.mul(a.sub(x, mean), inverseStd))],
  ),

  /** The gradient of `x`, from the means over `dy * weight` and over that times the normalised rows. */
  layerNormGradient: program("layerNormGradient", layerNormSlopes, (a, of) => [
    layerNormGradient(a, of),
  ]),

  /** The same, added to a gradient that `x` has besides. */
  layerNormGradientOnto: program("layerNormGradientOnto", [...layerNormSlopes, "onto"], (a, of) => [
    a.add(of.onto, layerNormGradient(a, of)),
  ]),

  /** What a gradient has to be multiplied by for its norm to be at most `maximum`. */
  shortening: program(
    "shortening",
    ["gradient"],
    (a, { gradient, maximum }) => {
      const norm = a.sqrt(a.mul(a.halfSquares(gradient), 2));
      return [a.min(a.div(maximum, a.add(norm, 1e-6)), 1)];
    },
    { compiles: false, numbers: ["maximum"] },
  ),

  adamW: program("adamW", adamWTensors, (a, of) => adamW(a, of), { numbers: adamWNumbers }),

  adamWAverage: program(
    "adamWAverage",
    [...adamWTensors, "average"],
    (a, of) => {
      const results = adamW(a, of);
      return [...results, mixture(a, of.average, results[0], of.momentum, of.rest)];
    },
    { numbers: [...adamWNumbers, "momentum", "rest"] },
  ),

  ema: program(
    "ema",
    ["average", "value"],
    (a, of) => [mixture(a, of.average, of.value, of.momentum, of.rest)],
    { numbers: ["momentum", "rest"] },
  ),

  /** Two tensors, each times a factor of its own, the second taken from the first. */
  scaledDifference: program(
    "scaledDifference",
    ["a", "factorOfA", "b", "factorOfB"],
    (of, { a, factorOfA, b, factorOfB }) => [of.sub(of.mul(a, factorOfA), of.mul(b, factorOfB))],
  ),
};

/** What oneDNN alone has, which not every build of TensorFlow comes with. */
export const oneDnnPrograms: Readonly<Record<"affineGelu", Program>> = {
  affineGelu: program(
    "affineGelu",
    ["x", "weight", "bias"],
    (a, { x, weight, bias }) => [a.affine(x, weight, bias, "GeluExact")],
    { compiles: false },
  ),
};
