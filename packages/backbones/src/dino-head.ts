import {
  assertShape,
  gelu,
  l2Normalize,
  linear,
  type Params,
  parameter,
  truncatedNormal,
  uniform,
  weightNormLinear,
} from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import type { Module, Training } from "./backbone.ts";
import { batchNorm, batchNormInit, batchNormShapes, isRunningStatistic } from "./batch-norm.ts";

export interface HeadOptions {
  /** Width of the features: the backbone's `embedDim`. */
  readonly inputs: number;
  /** Width of the output. */
  readonly prototypes: number;
  /** Width of the hidden layers. */
  readonly hidden?: number;
  /** Width of what is normalised before the last layer. */
  readonly bottleneck?: number;
  /** Layers before the last one; 1 is a single linear map to the bottleneck. */
  readonly layers?: number;
  /** Batch normalisation before each activation. */
  readonly batchNorm?: boolean;
  /** Whether the last layer's rows keep length 1, which makes the logits cosines. */
  readonly normLastLayer?: boolean;
  readonly activation?: "gelu" | "relu";
}

/** From features to logits over the prototypes. Not used after training. */
export interface Head extends Module {
  readonly inputs: number;
  readonly prototypes: number;
  readonly frozen: readonly string[];
  readonly buffers: readonly string[];
  /** Features `[rows, inputs]` to logits `[rows, prototypes]`. */
  forward(params: Params, x: tf.Tensor2D, mode?: Training): tf.Tensor2D;
}

const gain = "last_layer.weight_g";
const direction = "last_layer.weight_v";

/**
 * The projection head of DINO (Caron et al. 2021, https://arxiv.org/abs/2104.14294): linear layers
 * with an activation between them, a bottleneck whose rows are made of length 1, and a last linear
 * layer without bias and with weight normalisation.
 */
export function dinoHead({
  inputs,
  prototypes,
  hidden = 2048,
  bottleneck = 256,
  layers = 3,
  batchNorm: hasBatchNorm = false,
  normLastLayer = true,
  activation = "gelu",
}: HeadOptions): Head {
  for (const [name, value] of Object.entries({ inputs, prototypes, hidden, bottleneck, layers })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new RangeError(`${name}: expected a positive integer, got ${value}`);
  }
  const widths = [inputs, ...Array<number>(layers - 1).fill(hidden), bottleneck];
  const plan = layerPlan(widths, hasBatchNorm);
  const parameterShapes = {
    ...Object.assign({}, ...plan.map(layerShapes)),
    [gain]: [prototypes, 1],
    [direction]: [prototypes, bottleneck],
  } as Record<string, readonly number[]>;

  const hiddenLayer = (
    params: Params,
    x: tf.Tensor2D,
    layer: Layer,
    mode: Training | undefined,
  ) => {
    const weight = parameter<tf.Tensor2D>(params, `${layer.linear}weight`);
    const bias = parameter<tf.Tensor1D>(params, `${layer.linear}bias`);
    if (!layer.activated) return linear(x, weight, bias);
    const { norm } = layer;
    if (norm === undefined) return linear(x, weight, bias, { activation });
    const y = linear(x, weight, bias);
    if (activation === "relu") return batchNorm(params, norm, y, mode, { activation });
    return gelu(batchNorm(params, norm, y, mode));
  };

  return {
    inputs,
    prototypes,
    parameterShapes,
    frozen: normLastLayer ? [gain] : [],
    buffers: Object.keys(parameterShapes).filter(isRunningStatistic),

    init: (random) =>
      Object.fromEntries(
        Object.entries(parameterShapes).map(([name, shape]) => {
          if (name === gain) return [name, tf.ones([...shape])];
          if (name === direction) return [name, uniform(random, shape, bottleneck ** -0.5)];
          if (shape.length === 2) return [name, truncatedNormal(random, shape)];
          return [name, batchNormInit(name, shape)];
        }),
      ),

    forward: (params, x, mode) =>
      tf.tidy(() => {
        assertShape("x", x, [null, inputs]);
        const y = plan.reduce((rows, layer) => hiddenLayer(params, rows, layer, mode), x);
        return weightNormLinear(
          l2Normalize(y),
          parameter(params, gain),
          parameter(params, direction),
        );
      }),
  };
}

/** One linear layer of the multilayer perceptron, by the prefixes of its names. */
interface Layer {
  readonly linear: string;
  readonly norm: string | undefined;
  readonly activated: boolean;
  readonly inputs: number;
  readonly outputs: number;
}

/** The layers between `widths`, numbered as in the reference's `nn.Sequential`. */
function layerPlan(widths: readonly number[], batchNorm: boolean): readonly Layer[] {
  const layers = widths.length - 1;
  // Linear, perhaps batch normalisation, activation.
  const stride = batchNorm ? 3 : 2;
  return Array.from({ length: layers }, (_, i) => {
    const activated = i < layers - 1;
    return {
      linear: layers === 1 ? "mlp." : `mlp.${stride * i}.`,
      norm: batchNorm && activated ? `mlp.${stride * i + 1}.` : undefined,
      activated,
      inputs: widths[i] as number,
      outputs: widths[i + 1] as number,
    };
  });
}

function layerShapes({ linear, norm, inputs, outputs }: Layer): Record<string, readonly number[]> {
  return {
    [`${linear}weight`]: [outputs, inputs],
    [`${linear}bias`]: [outputs],
    ...(norm === undefined ? {} : batchNormShapes(norm, outputs)),
  };
}
