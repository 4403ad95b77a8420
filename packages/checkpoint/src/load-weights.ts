import type { Params } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import type { Checkpoint } from "./checkpoint.ts";
import { CheckpointError } from "./checkpoint-error.ts";
import type { TensorData } from "./dtype.ts";
import { findPrefix } from "./name-prefix.ts";
import { compareNames, describeMismatch } from "./name-report.ts";

/** What weights can be loaded into: anything that tells its parameters' names and shapes. */
export interface Parametric {
  readonly parameterShapes: Readonly<Record<string, readonly number[]>>;
}

export interface LoadWeightsOptions {
  /** Which of the two networks of a training checkpoint. Files that hold one alone ignore it. */
  readonly from?: "student" | "teacher";
  /** What stands in front of the module's names in the file; found by itself when absent. */
  readonly prefix?: string;
  /** Leaves out what the file lacks and ignores what it has too much. Shapes must agree even so. */
  readonly allowPartial?: boolean;
}

/**
 * A module's parameters from a checkpoint, as float32 tensors that the caller owns.
 *
 * Strict: every parameter of the module must be there in its shape, and nothing else under the
 * same prefix; otherwise a `CheckpointError` lists what is missing, unexpected or of another
 * shape. Names are the reference's, and the prefixes that it and its wrappers put in front of them
 * (`teacher.`, `student.`, `module.`, `backbone.`, `head.`) are found by themselves.
 */
export async function loadWeights(
  module: Parametric,
  checkpoint: Checkpoint,
  { from = "teacher", prefix, allowPartial = false }: LoadWeightsOptions = {},
): Promise<Params> {
  const names = Object.keys(module.parameterShapes);
  const place = prefix ?? findPrefix(checkpoint, names, from);
  const mismatch = compareNames(module.parameterShapes, checkpoint.tensors, place);
  const { missing, unexpected, reshaped } = mismatch;
  if (missing.length === names.length && names.length > 0) {
    throw new CheckpointError(
      `${checkpoint.name}: expected weights such as ${place}${names[0]}, got ${someNames(checkpoint)}`,
    );
  }
  const tolerable = allowPartial && reshaped.length === 0;
  if (missing.length + unexpected.length + reshaped.length > 0 && !tolerable) {
    throw new CheckpointError(describeMismatch(checkpoint.name, place, names.length, mismatch));
  }

  const absent = new Set(missing);
  const params: Record<string, tf.Tensor> = {};
  try {
    for (const name of names) {
      if (!absent.has(name)) params[name] = float32Tensor(await checkpoint.read(place + name));
    }
  } catch (error) {
    tf.dispose(params);
    throw error;
  }
  return params;
}

function float32Tensor({ shape, data }: TensorData): tf.Tensor {
  return tf.tensor(float32(data), [...shape], "float32");
}

function float32(data: TensorData["data"]): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    return Float32Array.from(data as ArrayLike<bigint>, Number);
  }
  return Float32Array.from(data as ArrayLike<number>);
}

function someNames({ tensors }: Checkpoint): string {
  const names = [...tensors.keys()];
  if (names.length === 0) return "a file without tensors";
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}
