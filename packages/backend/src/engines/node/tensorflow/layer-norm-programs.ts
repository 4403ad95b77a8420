import { type Arithmetic, type Program, program, type Value } from "./program.ts";

/** The kernels of a layer normalisation of rows of one width. */
export interface LayerNormPrograms {
  /** `x`, `weight`, `bias` and the number `epsilon` to the output, means and inverse deviations. */
  readonly layerNorm: Program;
  /** The output alone. */
  readonly layerNormAlone: Program;
  /** `x`, `weight`, `bias`, `mean`, `inverseStd` to the output once more. */
  readonly layerNormAgain: Program;
  /** `dy`, `x`, `weight`, `mean`, `inverseStd` to the gradient of `x` and, by rows, of `weight`. */
  readonly layerNormBackward: Program;
  /** The same with `onto` behind: the gradient of `x` is added to it. */
  readonly layerNormBackwardOnto: Program;
}

/** For rows `[rows, columns]`. */
export function layerNormPrograms(columns: number): LayerNormPrograms {
  const mean = rowMean(columns);
  const normalize = (a: Arithmetic, { x, weight, bias, epsilon }: LayerNorm) => {
    const middle = mean(a, x);
    const centred = a.sub(x, middle);
    const inverseStd = a.rsqrt(a.add(mean(a, a.square(centred)), epsilon));
    return [a.add(a.mul(a.mul(centred, inverseStd), weight), bias), middle, inverseStd] as const;
  };
  const backward = (a: Arithmetic, { dy, x, weight, inverseStd, ...of }: LayerNormSlopes) => {
    const normalized = a.mul(a.sub(x, of.mean), inverseStd);
    const slopes = a.mul(dy, weight);
    const along = mean(a, a.mul(slopes, normalized));
    const centred = a.sub(slopes, mean(a, slopes));
    const dx = a.mul(a.sub(centred, a.mul(normalized, along)), inverseStd);
    return [dx, a.mul(dy, normalized)] as const;
  };
  const numbers = ["epsilon"] as const;
  return {
    layerNorm: program("layerNorm", tensors, normalize, { numbers }),
    layerNormAlone: program("layerNormAlone", tensors, (a, of) => [normalize(a, of)[0]], {
      numbers,
    }),
    layerNormAgain: program("layerNormAgain", [...tensors, ...statistics], (a, of) => {
      const normalized = a.mul(a.sub(of.x, of.mean), of.inverseStd);
      return [a.add(a.mul(normalized, of.weight), of.bias)];
    }),
    layerNormBackward: program("layerNormBackward", slopes, backward),
    layerNormBackwardOnto: program("layerNormBackwardOnto", [...slopes, "onto"], (a, of) => {
      const [dx, dWeight] = backward(a, of);
      return [a.add(of.onto, dx), dWeight];
    }),
  };
}

const tensors = ["x", "weight", "bias"] as const;
const statistics = ["mean", "inverseStd"] as const;
const slopes = ["dy", "x", "weight", ...statistics] as const;

type LayerNorm = Readonly<Record<(typeof tensors)[number] | "epsilon", Value>>;
type LayerNormSlopes = Readonly<Record<(typeof slopes)[number], Value>>;

/** As many columns as the processor adds up at once. */
const lanes = 8;

/**
 * The means of rows, `[rows, 1]`. By lanes first, and those afterwards: along a row XLA would add
 * one number after the other. The division between keeps it from making one sum of the two.
 */
function rowMean(columns: number): (a: Arithmetic, x: Value) => Value {
  return (a, x) => {
    const sums = columns % lanes === 0 ? a.sum(a.reshape(x, [-1, columns / lanes, lanes]), 1) : x;
    return a.reshape(a.sum(a.mul(sums, 1 / columns), 1), [-1, 1]);
  };
}
