import type { Dtype, TensorData } from "./dtype.ts";

/** What is known of a tensor before its elements are read. */
export interface TensorInfo {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/** An open checkpoint: what is in it is known, the elements are read when asked for. */
export interface Checkpoint {
  readonly format: "safetensors";
  /** What errors call it, such as its path. */
  readonly name: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
  /** The tensor of this name; F16 and BF16 come widened to float32. */
  read(name: string): Promise<TensorData>;
}
