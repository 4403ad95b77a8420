import type { Params } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import type { Checkpoint } from "./checkpoint.ts";
import { CheckpointError } from "./checkpoint-error.ts";
import type { TensorData } from "./dtype.ts";
import type { LoadReport } from "./load-report.ts";
import { compareNames, describeMismatch, type Mismatch, someNames } from "./name-report.ts";
import { findWeights, networkRoot } from "./names/find-weights.ts";
import type { NamedWeights } from "./names/named-weights.ts";

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
  /** Is told what was found and done, once all is well. */
  readonly onReport?: (report: LoadReport) => void;
}

/**
 * A module's parameters from a checkpoint, as float32 tensors that the caller owns.
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
  { from = "teacher", prefix, allowPartial = false, reshape, onReport }: LoadWeightsOptions = {},
): Promise<Params> {
  const { parameterShapes: shapes } = module;
  const names = Object.keys(shapes);
  const found = findWeights(checkpoint, (name) => Object.hasOwn(shapes, name), { from, prefix });
  if (!found) {
    if (names.length === 0) return {};
    const place = prefix ?? networkRoot(checkpoint, from);
    throw new CheckpointError(
      `${checkpoint.name}: expected weights such as ${place}${names[0]}, got ${someNames(checkpoint)}`,
    );
  }
  const mismatch = compareNames(shapes, found);
  const fail = (of: Mismatch) => {
    throw new CheckpointError(describeMismatch(found, names.length, of));
  };
  const { missing, unexpected, reshaped } = mismatch;
  if (missing.length + unexpected.length > 0 && !allowPartial) fail(mismatch);
  if (reshaped.length > 0 && !reshape) fail(mismatch);

  const absent = new Set(missing);
  const params: Record<string, tf.Tensor> = {};
  try {
    for (const name of names.filter((name) => !absent.has(name))) {
      const value = float32Tensor(await found.read(name));
      params[name] = value;
      const other = reshaped.find((each) => each.name === name);
      if (!other) continue;
      const made = reshape?.(name, value, other.expected);
      if (made) params[name] = made;
      if (made !== value) value.dispose();
      if (made?.shape.join() !== other.expected.join()) fail(mismatch);
    }
  } catch (error) {
    tf.dispose(params);
    throw error;
  }
  onReport?.(reportOf(found, mismatch, params));
  return params;
}

function reportOf(found: NamedWeights, mismatch: Mismatch, params: Params): LoadReport {
  const { name: file, naming, prefix, leftOut, sources } = found;
  const { missing, unexpected, reshaped } = mismatch;
  const renamed = [...sources]
    .filter(([name, [first]]) => Object.hasOwn(params, name) && first !== prefix + name)
    .map(([to, from]) => ({ from, to }));
  return {
    file,
    naming,
    prefix,
    loaded: Object.keys(params).length,
    missing,
    unexpected,
    renamed,
    reshaped: reshaped.map(({ name, got, expected }) => ({ name, from: got, to: expected })),
    leftOut,
  };
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
