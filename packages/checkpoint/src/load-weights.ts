import type { Params } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import type { Checkpoint } from "./checkpoint.ts";
import type { TensorData } from "./dtype.ts";
import { type MatchOptions, matchWeights, type Parametric } from "./match-weights.ts";
import { isBatchCounter } from "./name-report.ts";

export interface LoadWeightsOptions extends MatchOptions {
  /**
   * Makes a tensor of the shape that the module has of one that the file has in another, such as
   * positions by interpolation; nothing where that makes no sense, which stays an error. What is
   * given is disposed of by whoever calls.
   */
  readonly reshape?: (
    name: string,
    value: tf.Tensor,
    shape: readonly number[],
  ) => tf.Tensor | undefined;
}

/**
 * A module's parameters from a checkpoint, as float32 tensors that the caller owns (counters of
 * batches, which nothing computes with, as int32).
 *
 * Strict: every parameter of the module must be there in its shape, and nothing else under the
 * same prefix; otherwise a `CheckpointError` lists what is missing, unexpected or of another
 * shape. Names are the reference's, timm's, torchvision's or Hugging Face's; these, and the
 * prefixes that wrappers put in front of them (`teacher.`, `student.`, `module.`, `backbone.`,
 * `head.` and others), are found by themselves.
 */
export async function loadWeights(
  module: Parametric,
  checkpoint: Checkpoint,
  { reshape, ...options }: LoadWeightsOptions = {},
): Promise<Params> {
  const { weights, reshaped, fail, report } = matchWeights(module, checkpoint, {
    ...options,
    reshapes: reshape !== undefined,
  });
  const params: Record<string, tf.Tensor> = {};
  try {
    for (const name of Object.keys(module.parameterShapes)) {
      if (!weights.tensors.has(name)) {
        // Files from before PyTorch 0.4.1 have none, and others leave them out.
        if (isBatchCounter(name)) params[name] = tf.scalar(0, "int32");
        continue;
      }
      const value = tensor(name, await weights.read(name));
      params[name] = value;
      const shape = reshaped.get(name);
      if (!shape) continue;
      const made = reshape?.(name, value, shape);
      if (made) params[name] = made;
      if (made !== value) value.dispose();
      if (made?.shape.join() !== shape.join()) fail();
    }
  } catch (error) {
    tf.dispose(params);
    throw error;
  }
  options.onReport?.(report);
  return params;
}

function tensor(name: string, { shape, data }: TensorData): tf.Tensor {
  const values = float32(data);
  return isBatchCounter(name)
    ? tf.tensor(Int32Array.from(values), [...shape], "int32")
    : tf.tensor(values, [...shape], "float32");
}

function float32(data: TensorData["data"]): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    return Float32Array.from(data as ArrayLike<bigint>, Number);
  }
  return Float32Array.from(data as ArrayLike<number>);
}
