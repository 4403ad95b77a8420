import type { Dtype, TensorData } from "./dtype.ts";

/** What is known of a tensor before its elements are read. */
export interface TensorInfo {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/** Data that is no tensor. Objects have no prototype; integers beyond exact ones are bigints. */
export type PlainData =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly PlainData[]
  | { readonly [key: string]: PlainData };

/** An open checkpoint: what is in it is known, the elements are read when asked for. */
export interface Checkpoint {
  readonly format: "safetensors" | "pytorch";
  /** What errors call it, such as its path. */
  readonly name: string;
  /** Names within each other, as PyTorch's files have them, are joined with dots. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Text beside the tensors of a safetensors file. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What a PyTorch file holds besides tensors, such as `args` and `epoch`. */
  readonly data: Readonly<Record<string, PlainData>>;
  /** The tensor of this name, in row-major order; F16 and BF16 come widened to float32. */
  read(name: string): Promise<TensorData>;
  /** The rows `first` to `first + count - 1` of its first axis alone, whatever its size: `[count, ...]`. */
  readRows(name: string, first: number, count: number): Promise<TensorData>;
}
