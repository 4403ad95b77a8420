import {
  type Arithmetic,
  type GraphArithmetic,
  graph,
  type Program,
  program,
  type Value,
} from "./program.ts";

/** The normal distribution function; the exact GELU is `x` times it. */
function normalCdf({ add, erf, mul }: Arithmetic, x: Value): Value {
  return mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);
}

/** The derivative of the exact GELU. */
function geluSlope({ add, exp, mul, square }: Arithmetic, x: Value, cdf: Value): Value {
  const density = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return add(cdf, mul(x, density));
}

const adamWTensors = ["parameter", "gradient", "moment1", "moment2"] as const;
const averagedTensors = [...adamWTensors, "average"] as const;
const adamWNumbers = [
  ...(["decay", "beta1", "rest1", "beta2", "rest2", "rate", "correction", "epsilon"] as const),
] as const;
const averagedNumbers = [...adamWNumbers, "momentum", "rest"] as const;

type AdamW = Readonly<Record<(typeof adamWTensors)[number] | (typeof adamWNumbers)[number], Value>>;

/**
 * The next parameter and moments, the gradient being multiplied by `shortening`; everything that
 * depends on the step alone comes as a number.
 */
function adamW(
  a: Arithmetic,
  of: AdamW,
  shortening?: Value,
): readonly [parameter: Value, moment1: Value, moment2: Value] {
  const gradient = shortening ? a.mul(of.gradient, shortening) : of.gradient;
  const first = a.add(a.mul(of.moment1, of.beta1), a.mul(gradient, of.rest1));
  const second = a.add(a.mul(of.moment2, of.beta2), a.mul(a.square(gradient), of.rest2));
  const spread = a.add(a.mul(a.sqrt(second), of.correction), of.epsilon);
  const change = a.div(a.mul(first, of.rate), spread);
  return [a.sub(a.mul(of.parameter, of.decay), change), first, second];
}

/** The same, and the moving average of the parameter. */
function adamWAverage(
  a: Arithmetic,
  of: AdamW & Readonly<Record<"average" | "momentum" | "rest", Value>>,
  shortening?: Value,
): readonly Value[] {
  const results = adamW(a, of, shortening);
  return [...results, mixture(a, of.average, results[0], of.momentum, of.rest)];
}

/** What a gradient has to be multiplied by for its norm to be at most `maximum`. */
function shortening(a: GraphArithmetic, gradient: Value, maximum: Value): Value {
  const norm = a.sqrt(a.mul(a.halfSquares(gradient), 2));
  return a.min(a.div(maximum, a.add(norm, 1e-6)), 1);
}

const shortenedAdamW = program(
  "shortenedAdamW",
  [...adamWTensors, "shortening"],
  (a, of) => adamW(a, of, of.shortening),
  { numbers: adamWNumbers },
);

const shortenedAdamWAverage = program(
  "shortenedAdamWAverage",
  [...averagedTensors, "shortening"],
  (a, of) => adamWAverage(a, of, of.shortening),
  { numbers: averagedNumbers },
);

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
  | "adamW"
  | "adamWAverage"
  | "adamWClipped"
  | "adamWAverageClipped"
  | "ema"
  | "scaledDifference";

/** The arithmetic of operations' kernels that is a matter of memory and not of products. */
export const kernelPrograms: Readonly<Record<KernelProgram, Program>> = {
  affine: graph("affine", ["x", "weight", "bias"], (a, { x, weight, bias }) => [
    a.affine(x, weight, bias),
  ]),

  gelu: program("gelu", ["x"], (a, { x }) => [a.mul(x, normalCdf(a, x))]),

  geluBackward: program("geluBackward", ["dy", "x"], (a, { dy, x }) => [
    a.mul(dy, geluSlope(a, x, normalCdf(a, x))),
  ]),

  adamW: program("adamW", adamWTensors, (a, of) => adamW(a, of), { numbers: adamWNumbers }),

  adamWAverage: program("adamWAverage", averagedTensors, (a, of) => adamWAverage(a, of), {
    numbers: averagedNumbers,
  }),

  adamWClipped: graph(
    "adamWClipped",
    adamWTensors,
    (a, of) => {
      const tensors = adamWTensors.map((each) => of[each]);
      const factor = shortening(a, of.gradient, of.maximum);
      return a.call(shortenedAdamW, [...tensors, factor, of.numbers]);
    },
    { numbers: [...adamWNumbers, "maximum"] },
  ),

  adamWAverageClipped: graph(
    "adamWAverageClipped",
    averagedTensors,
    (a, of) => {
      const tensors = averagedTensors.map((each) => of[each]);
      const factor = shortening(a, of.gradient, of.maximum);
      return a.call(shortenedAdamWAverage, [...tensors, factor, of.numbers]);
    },
    { numbers: [...averagedNumbers, "maximum"] },
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
  affineGelu: graph("affineGelu", ["x", "weight", "bias"], (a, { x, weight, bias }) => [
    a.affine(x, weight, bias, "GeluExact"),
  ]),
};
