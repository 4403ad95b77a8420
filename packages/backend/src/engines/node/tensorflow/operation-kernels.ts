import * as tf from "@tensorflow/tfjs-core";
import type { KernelProgram } from "./kernel-programs.ts";
import { nodeBackend, operation, works } from "./node-backend.ts";
import type { Programs } from "./programs.ts";
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
  return {
    Gelu: ({ x }: Inputs<"x">) => run("gelu", [x]),
    GeluBackward: ({ dy, x }: Inputs<"dy" | "x">) => run("geluBackward", [dy, x]),
    GeluParts: ({ x }: Inputs<"x">) => run("geluParts", [x]),

    LayerNorm: (
      { x, weight, bias }: Inputs<"x" | "weight" | "bias">,
      { epsilon, forGradient }: { readonly epsilon: number; readonly forGradient: boolean },
    ) =>
      forGradient || !hasLayerNorm
        ? run("layerNorm", [x, weight, bias, epsilon], forGradient ? [0, 1, 2] : [0])
        : [operation("_MklLayerNorm", [x, weight, bias], { epsilon })],
    LayerNormAgain: (of: Inputs<"x" | "weight" | "bias" | "mean" | "inverseStd">) =>
      run("layerNormAgain", [of.x, of.weight, of.bias, of.mean, of.inverseStd]),
    LayerNormBackward: (of: Rows<"dy" | "x" | "mean" | "inverseStd"> & Inputs<"weight">) => {
      const { dy, x, weight, mean, inverseStd } = of;
      const [weighed] = run("timesNormalized", [dy, x, mean, inverseStd]) as [tf.Tensor2D];
      // The means of rows as products, which XLA's own would take the longest for.
      const share = tf.div(tf.reshape(weight, [-1, 1]), weight.size) as tf.Tensor2D;
      const means = [tf.matMul(dy, share), tf.matMul(weighed, share)];
      const [dx] = run("layerNormGradient", [dy, x, weight, mean, inverseStd, ...means]);
      return [dx as tf.Tensor, rowsSummed(weighed), rowsSummed(dy)];
    },

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
      const inputs = [
        ...[of.parameter, of.gradient, of.moment1, of.moment2],
        ...[clip === undefined ? 1 : shortening(of.gradient, clip), 1 - learningRate * weightDecay],
        ...[beta1, 1 - beta1, beta2, 1 - beta2],
        ...[learningRate / (1 - beta1 ** step), 1 / Math.sqrt(1 - beta2 ** step), epsilon],
      ];
      return of.average === undefined || momentum === undefined
        ? run("adamW", inputs)
        : run("adamWAverage", [...inputs, of.average, momentum, 1 - momentum]);
    },
    Ema: ({ average, value }: Inputs<"average" | "value">, { momentum }: { momentum: number }) =>
      run("ema", [average, value, momentum, 1 - momentum]),
  };
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

/** What a gradient has to be multiplied by for its norm to be at most `maximum`. */
function shortening(gradient: tf.Tensor, maximum: number): tf.Tensor {
  const norm = tf.sqrt(tf.sum(tf.square(gradient)));
  return tf.minimum(tf.div(maximum, tf.add(norm, 1e-6)), 1);
}
