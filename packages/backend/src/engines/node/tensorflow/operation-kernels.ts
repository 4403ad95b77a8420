import type { Segment } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import { type KernelProgram, oneDnnPrograms } from "./kernel-programs.ts";
import { nodeBackend, operation, works } from "./node-backend.ts";
import { loadPrograms, type Programs } from "./programs.ts";
import { rowsSummed } from "./stock-kernels.ts";

type Inputs<Name extends string> = Readonly<Record<Name, tf.Tensor>>;
type Rows<Name extends string> = Readonly<Record<Name, tf.Tensor2D>>;
type Kernel = (inputs: never, attributes: never) => tf.Tensor[];

type AdamWTensors = Inputs<"parameter" | "gradient" | "moment1" | "moment2"> & {
  readonly average?: tf.Tensor;
};

interface AdamWAttributes {
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly step: number;
  readonly clip?: number;
  readonly momentum?: number;
}

/** Kernels for operations of `@dino/ops`, by the operations' names and with their contracts. */
export function operationKernels(
  programs: Programs<KernelProgram>,
): Readonly<Record<string, Kernel>> {
  const { run } = programs;
  const hasLayerNorm = findLayerNorm();
  const affineGelu = findAffineGelu();
  const layerNormBackward = (
    of: Rows<"dy" | "x" | "mean" | "inverseStd"> & Inputs<"weight">,
    onto?: tf.Tensor2D,
  ): [dx: tf.Tensor, dWeight: tf.Tensor, dBias: tf.Tensor] => {
    const { dy, x, weight, mean, inverseStd } = of;
    const [weighed] = run("timesNormalized", [dy, x, mean, inverseStd]) as [tf.Tensor2D];
    // The means of rows as products, which XLA's own would take the longest for.
    const share = tf.div<tf.Tensor2D>(tf.reshape(weight, [-1, 1]), weight.size);
    const means = [tf.matMul(dy, share), tf.matMul(weighed, share)];
    const slopes = [dy, x, weight, mean, inverseStd, ...means];
    const [dx] = onto
      ? run("layerNormGradientOnto", [...slopes, onto])
      : run("layerNormGradient", slopes);
    return [dx as tf.Tensor, rowsSummed(weighed), rowsSummed(dy)];
  };
  return {
    Linear: (
      { x, weight, bias }: Rows<"x" | "weight"> & Inputs<"bias">,
      { activation, forGradient }: { activation: string; forGradient: boolean },
    ) => {
      if (activation === "gelu" && !forGradient && affineGelu) return affineGelu(x, weight, bias);
      const before = run("affine", [x, weight, bias])[0] as tf.Tensor;
      if (activation === "none") return [before];
      const y = activation === "relu" ? tf.relu(before) : (run("gelu", [before])[0] as tf.Tensor);
      return forGradient ? [y, before] : [y];
    },

    Gelu: ({ x }: Inputs<"x">) => run("gelu", [x]),
    GeluBackward: ({ dy, x }: Inputs<"dy" | "x">) => run("geluBackward", [dy, x]),

    // As in the composite, but the derivative of the GELU is never written down by itself.
    MlpBlockBackward: (
      of: Rows<"dy" | "x" | "mean" | "inverseStd" | "hidden" | "fc1Weight" | "fc2Weight"> &
        Inputs<"normWeight" | "normBias"> & { readonly pathScale?: tf.Tensor1D },
      { segments }: { readonly segments: readonly Segment[] },
    ) => {
      const { dy, x, mean, inverseStd, fc1Weight, fc2Weight, normWeight: weight } = of;
      const dBranch = scaleSequences(dy, segments, of.pathScale);
      const dActive = tf.matMul(dBranch, fc2Weight);
      const [active, dHidden] = run("geluBoth", [dActive, of.hidden]) as [tf.Tensor2D, tf.Tensor2D];
      dActive.dispose();
      const dFc2 = [tf.matMul(dBranch, active, true, false), rowsSummed(dBranch)];
      active.dispose();
      const normed = run("layerNormAgain", [x, weight, of.normBias, mean, inverseStd]);
      const dFc1 = [tf.matMul(dHidden, normed[0] as tf.Tensor2D, true, false), rowsSummed(dHidden)];
      const dNormed = tf.matMul<tf.Tensor2D>(dHidden, fc1Weight);
      const slopes = { dy: dNormed, x, weight, mean, inverseStd };
      const [dx, ...dNorm] = layerNormBackward(slopes, dy);
      return [dx, ...dNorm, ...dFc1, ...dFc2];
    },

    LayerNorm: (
      { x, weight, bias }: Inputs<"x" | "weight" | "bias">,
      { epsilon, forGradient }: { readonly epsilon: number; readonly forGradient: boolean },
    ) =>
      forGradient || !hasLayerNorm
        ? run("layerNorm", [x, weight, bias], {
            numbers: [epsilon],
            outputs: forGradient ? [0, 1, 2] : [0],
          })
        : [operation("_MklLayerNorm", [x, weight, bias], { epsilon })],
    LayerNormAgain: (of: Inputs<"x" | "weight" | "bias" | "mean" | "inverseStd">) =>
      run("layerNormAgain", [of.x, of.weight, of.bias, of.mean, of.inverseStd]),
    LayerNormBackward: (of: Parameters<typeof layerNormBackward>[0]) => layerNormBackward(of),

    // The columns of the product are scaled, and not the weight's rows: they are far fewer.
    WeightNormLinear: ({ x, gain, direction }: Rows<"x" | "gain" | "direction">) => {
      const scale = tf.div(gain, rowNorms(direction));
      return [tf.mul(tf.matMul(x, direction, false, true), tf.reshape(scale, [1, -1]))];
    },
    WeightNormLinearBackward: (of: Rows<"dy" | "x" | "gain" | "direction">) => {
      const { dy, x, gain, direction } = of;
      const norms = rowNorms(direction);
      const scale = tf.div<tf.Tensor2D>(gain, norms);
      const scaled = tf.mul<tf.Tensor2D>(dy, tf.reshape(scale, [1, -1]));
      const dWeight = tf.matMul(dy, x, true, false);
      const dGain = tf.div<tf.Tensor2D>(tf.sum(tf.mul(dWeight, direction), 1, true), norms);
      const share = tf.div(tf.mul(scale, dGain), norms);
      const dDirection = run("scaledDifference", [dWeight, scale, direction, share]);
      return [tf.matMul(scaled, direction), dGain, ...dDirection];
    },

    AdamW: (of: AdamWTensors, attributes: AdamWAttributes) => {
      const { learningRate, weightDecay, beta1, beta2, epsilon, step, clip, momentum } = attributes;
      const [factor] =
        clip === undefined ? [tf.scalar(1)] : run("shortening", [of.gradient], { numbers: [clip] });
      const inputs = [of.parameter, of.gradient, of.moment1, of.moment2, factor as tf.Tensor];
      const numbers = [
        ...[1 - learningRate * weightDecay, beta1, 1 - beta1, beta2, 1 - beta2],
        ...[learningRate / (1 - beta1 ** step), 1 / Math.sqrt(1 - beta2 ** step), epsilon],
      ];
      return of.average === undefined || momentum === undefined
        ? run("adamW", inputs, { numbers })
        : run("adamWAverage", [...inputs, of.average], {
            numbers: [...numbers, momentum, 1 - momentum],
          });
    },
    Ema: ({ average, value }: Inputs<"average" | "value">, { momentum }: { momentum: number }) =>
      run("ema", [average, value], { numbers: [momentum, 1 - momentum] }),
  };
}

/** Every sequence's rows times its own factor of `scale`, `[sequences]`. */
function scaleSequences(
  x: tf.Tensor2D,
  segments: readonly Segment[],
  scale: tf.Tensor1D | undefined,
): tf.Tensor2D {
  if (scale === undefined) return x;
  const lengths = segments.flatMap(({ sequences, tokens }) =>
    Array<number>(sequences).fill(tokens),
  );
  const sequenceOfRow = lengths.flatMap((tokens, i) => Array<number>(tokens).fill(i));
  const factors = tf.gather(scale, tf.tensor1d(sequenceOfRow, "int32"));
  return tf.mul(x, tf.reshape(factors, [-1, 1]));
}

type Affine = (...of: readonly [x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor]) => tf.Tensor[];

/** oneDNN's product with a GELU behind it, where this build of TensorFlow has it. */
function findAffineGelu(): Affine | undefined {
  let found: Affine | undefined;
  const has = works(() => {
    const { run } = loadPrograms(oneDnnPrograms);
    found = (...of) => run("affineGelu", of);
    return found(tf.ones([1, 1]), tf.ones([1, 1]), tf.ones([1]));
  });
  return has ? found : undefined;
}

/** Whether this build of TensorFlow has oneDNN's layer normalisation. */
function findLayerNorm(): boolean {
  const one = tf.ones([1]);
  const has = works(() => operation("_MklLayerNorm", [tf.ones([1, 1]), one, one], { epsilon: 1 }));
  one.dispose();
  return has;
}

/** The lengths of rows, `[rows, 1]`. */
function rowNorms(x: tf.Tensor2D): tf.Tensor2D {
  const { TF_INT32 } = nodeBackend().binding;
  return tf.tidy(() => {
    const axis = tf.tensor1d([1], "int32");
    return operation("EuclideanNorm", [x, axis], { keep_dims: true }, { Tidx: TF_INT32 });
  }) as tf.Tensor2D;
}
