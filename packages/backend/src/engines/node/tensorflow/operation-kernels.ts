import * as tf from "@tensorflow/tfjs-core";
import type { kernelPrograms } from "./kernel-programs.ts";
import { operation } from "./node-backend.ts";
import type { Programs } from "./programs.ts";
import { rowsSummed } from "./stock-kernels.ts";

type Inputs<Name extends string> = Readonly<Record<Name, tf.Tensor>>;
type Rows<Name extends string> = Readonly<Record<Name, tf.Tensor2D>>;
type Kernel = (inputs: never, attributes: never) => tf.Tensor[];

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
  programs: Programs<keyof typeof kernelPrograms>,
): Readonly<Record<string, Kernel>> {
  const { run } = programs;
  const mixture = (a: tf.Tensor, b: tf.Tensor, share: number) =>
    run("mixture", [a, b, share, 1 - share]);

  return {
    Gelu: ({ x }: Inputs<"x">) => run("gelu", [x]),
    GeluBackward: ({ dy, x }: Inputs<"dy" | "x">) => run("geluBackward", [dy, x]),
    GeluParts: ({ x }: Inputs<"x">) => run("geluParts", [x]),

    LayerNorm: (
      { x, weight, bias }: Inputs<"x" | "weight" | "bias">,
      { epsilon, forGradient }: { readonly epsilon: number; readonly forGradient: boolean },
    ) => run("layerNorm", [x, weight, bias, epsilon], forGradient ? [0, 1, 2] : [0]),
    LayerNormAgain: (of: Inputs<"x" | "weight" | "bias" | "mean" | "inverseStd">) =>
      run("layerNormAgain", [of.x, of.weight, of.bias, of.mean, of.inverseStd]),
    LayerNormBackward: (of: Inputs<"dy" | "x" | "weight" | "mean" | "inverseStd">) => {
      const inputs = [of.dy, of.x, of.weight, of.mean, of.inverseStd];
      const [dx, weighed] = run("layerNormBackward", inputs) as [tf.Tensor, tf.Tensor];
      return [dx, rowsSummed(weighed), rowsSummed(of.dy)];
    },

    // The columns of the product are scaled, and not the weight's rows: they are far fewer.
    WeightNormLinear: ({ x, gain, direction }: Rows<"x" | "gain" | "direction">) => {
      const [scale] = run("rowScale", [gain, direction]) as [tf.Tensor2D];
      return [tf.mul(tf.matMul(x, direction, false, true), tf.reshape(scale, [1, -1]))];
    },
    WeightNormLinearBackward: ({
      dy,
      x,
      gain,
      direction,
    }: Rows<"dy" | "x" | "gain" | "direction">) => {
      const [scale] = run("rowScale", [gain, direction]) as [tf.Tensor2D];
      const scaled = tf.mul<tf.Tensor2D>(dy, tf.reshape(scale, [1, -1]));
      const dWeight = tf.matMul(dy, x, true, false);
      return [
        tf.matMul(scaled, direction),
        ...run("weightNormBackward", [dWeight, gain, direction]),
      ];
    },

    AdamW: (
      of: Inputs<"parameter" | "gradient" | "moment1" | "moment2"> & {
        readonly average?: tf.Tensor;
      },
      { learningRate, weightDecay, beta1, beta2, epsilon, step, clip, momentum }: AdamWAttributes,
    ) => {
      const [next, first, second] = run("adamW", [
        ...[of.parameter, of.gradient, of.moment1, of.moment2],
        ...[clip === undefined ? 1 : shortening(of.gradient, clip), 1 - learningRate * weightDecay],
        ...[beta1, 1 - beta1, beta2, 1 - beta2],
        ...[learningRate / (1 - beta1 ** step), 1 / Math.sqrt(1 - beta2 ** step), epsilon],
      ]) as [tf.Tensor, tf.Tensor, tf.Tensor];
      if (of.average === undefined || momentum === undefined) return [next, first, second];
      return [next, first, second, ...mixture(of.average, next, momentum)];
    },
    Ema: (
      { average, value }: Inputs<"average" | "value">,
      { momentum }: { readonly momentum: number },
    ) => mixture(average, value, momentum),
    ClipByNorm: ({ gradient }: Inputs<"gradient">, { maximum }: { readonly maximum: number }) => [
      tf.mul(gradient, shortening(gradient, maximum)),
    ],
    SquaredNorm: ({ x }: Inputs<"x">) => [squaredNorm(x)],
  };
}

function squaredNorm(x: tf.Tensor): tf.Tensor {
  return tf.mul(operation("L2Loss", [x]), 2);
}

/** What a gradient has to be multiplied by for its norm to be at most `maximum`. */
function shortening(gradient: tf.Tensor, maximum: number): tf.Tensor {
  const norm = tf.sqrt(squaredNorm(gradient));
  return tf.minimum(tf.div(maximum, tf.add(norm, 1e-6)), 1);
}
