import * as tf from "@tensorflow/tfjs-core";
import { kernelPrograms, oneDnnPrograms } from "./kernel-programs.ts";
import { type LayerNormPrograms, layerNormPrograms } from "./layer-norm-programs.ts";
import { nodeBackend, operation, works } from "./node-backend.ts";
import { type LoadOptions, loadPrograms, type Programs } from "./programs.ts";
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

/** Below so many rows a product with its bias in one pass packs the weight for longer than it multiplies. */
const fewRows = 256;

/** Kernels for operations of `@dino/ops`, by the operations' names and with their contracts. */
export function operationKernels(options: LoadOptions): Readonly<Record<string, Kernel>> {
  const { run } = loadPrograms(kernelPrograms, options);
  const affineGelu = findAffineGelu();
  const norms = new Map<number, Programs<keyof LayerNormPrograms>>();
  const normOf = (x: tf.Tensor2D) => {
    const [, columns] = x.shape;
    const found = norms.get(columns) ?? loadPrograms({ ...layerNormPrograms(columns) }, options);
    norms.set(columns, found);
    return found;
  };
  return {
    Linear: (
      { x, weight, bias }: Rows<"x" | "weight"> & Inputs<"bias">,
      { activation, forGradient }: { activation: string; forGradient: boolean },
    ) => {
      if (activation === "gelu" && !forGradient && affineGelu) return affineGelu(x, weight, bias);
      const before =
        x.shape[0] < fewRows
          ? tf.add(tf.matMul(x, weight, false, true), bias)
          : (run("affine", [x, weight, bias])[0] as tf.Tensor);
      if (activation === "none") return [before];
      const y = activation === "relu" ? tf.relu(before) : (run("gelu", [before])[0] as tf.Tensor);
      return forGradient ? [y, before] : [y];
    },

    Gelu: ({ x }: Inputs<"x">) => run("gelu", [x]),
    GeluBackward: ({ dy, x }: Inputs<"dy" | "x">) => run("geluBackward", [dy, x]),

    LayerNorm: (
      { x, weight, bias }: Rows<"x"> & Inputs<"weight" | "bias">,
      { epsilon, forGradient }: { readonly epsilon: number; readonly forGradient: boolean },
    ) =>
      normOf(x).run(forGradient ? "layerNorm" : "layerNormAlone", [x, weight, bias], {
        numbers: [epsilon],
      }),
    LayerNormAgain: (of: Rows<"x"> & Inputs<"weight" | "bias" | "mean" | "inverseStd">) =>
      normOf(of.x).run("layerNormAgain", [of.x, of.weight, of.bias, of.mean, of.inverseStd]),
    LayerNormBackward: (of: Rows<"dy" | "x"> & Inputs<"weight" | "mean" | "inverseStd">) => {
      const inputs = [of.dy, of.x, of.weight, of.mean, of.inverseStd];
      const [dx, dWeight] = normOf(of.x).run("layerNormBackward", inputs) as [
        tf.Tensor,
        tf.Tensor2D,
      ];
      return [dx, rowsSummed(dWeight), rowsSummed(of.dy)];
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
      const isClipped = clip !== undefined;
      const isAveraged = of.average !== undefined && momentum !== undefined;
      const name = `adamW${isAveraged ? "Average" : ""}${isClipped ? "Clipped" : ""}` as const;
      const inputs = [of.parameter, of.gradient, of.moment1, of.moment2];
      const numbers = [
        ...[1 - learningRate * weightDecay, beta1, 1 - beta1, beta2, 1 - beta2],
        ...[learningRate / (1 - beta1 ** step), 1 / Math.sqrt(1 - beta2 ** step), epsilon],
        ...(isAveraged ? [momentum, 1 - momentum] : []),
        ...(isClipped ? [clip] : []),
      ];
      return run(name, isAveraged ? [...inputs, of.average as tf.Tensor] : inputs, { numbers });
    },
    Ema: ({ average, value }: Inputs<"average" | "value">, { momentum }: { momentum: number }) =>
      run("ema", [average, value], { numbers: [momentum, 1 - momentum] }),
    SquaredNorm: ({ x }: Inputs<"x">) => [tf.mul(operation("L2Loss", [x]), 2)],
  };
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

/** The lengths of rows, `[rows, 1]`. */
function rowNorms(x: tf.Tensor2D): tf.Tensor2D {
  const { TF_INT32 } = nodeBackend().binding;
  return tf.tidy(() => {
    const axis = tf.tensor1d([1], "int32");
    return operation("EuclideanNorm", [x, axis], { keep_dims: true }, { Tidx: TF_INT32 });
  }) as tf.Tensor2D;
}
