import { float32ToBfloat16, float32ToFloat16 } from "./half.ts";

/**
 * An element type by safetensors' name. F16 and BF16 are widened to float32 when read and rounded
 * to the nearest (ties to even) when written; BOOL is one byte an element, 0 or 1.
 */
export type Dtype =
  | "F64"
  | "F32"
  | "F16"
  | "BF16"
  | "I64"
  | "I32"
  | "I16"
  | "I8"
  | "U64"
  | "U32"
  | "U16"
  | "U8"
  | "BOOL";

/** What holds a tensor's elements in memory. */
export type TensorArray =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint32Array
  | Uint16Array
  | Uint8Array;

/** A class of typed arrays. */
export interface ArrayClass {
  new (length: number): TensorArray;
  new (buffer: ArrayBuffer): TensorArray;
  readonly BYTES_PER_ELEMENT: number;
  readonly name: string;
}

/** In the order in which files hold them: wide elements first, so that every tensor is aligned. */
const arrays: Readonly<Record<Dtype, ArrayClass>> = {
  U64: BigUint64Array,
  I64: BigInt64Array,
  F64: Float64Array,
  F32: Float32Array,
  U32: Uint32Array,
  I32: Int32Array,
  BF16: Float32Array,
  F16: Float32Array,
  U16: Uint16Array,
  I16: Int16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
};

/** A tensor in memory: row-major elements, in the array that goes with its dtype. */
export interface TensorData {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** `Float32Array` for F32, F16 and BF16, `Uint8Array` for BOOL, else the array of that name. */
  readonly data: TensorArray;
}

/** Every dtype, in the order of files. */
export const dtypes: readonly Dtype[] = Object.keys(arrays) as Dtype[];

export function isDtype(name: unknown): name is Dtype {
  return typeof name === "string" && Object.hasOwn(arrays, name);
}

/** Bytes that an element takes in a file. */
export function itemSize(dtype: Dtype): number {
  return dtype === "F16" || dtype === "BF16" ? 2 : arrays[dtype].BYTES_PER_ELEMENT;
}

/** The class of the array that holds elements of `dtype` in memory. */
export function arrayOf(dtype: Dtype): ArrayClass {
  return arrays[dtype];
}

/** The bytes of a file for these elements: a view of `data` wherever the two are the same. */
export function bytesOf({ dtype, data }: Pick<TensorData, "dtype" | "data">): Uint8Array {
  if (dtype === "F16") return viewOf(float32ToFloat16(data as Float32Array));
  if (dtype === "BF16") return viewOf(float32ToBfloat16(data as Float32Array));
  return viewOf(data);
}

function viewOf(array: TensorArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
