import type { Dtype } from "../dtype.ts";

/** A storage as a file's pickle names it: elements in a row, of which tensors are views. */
export interface TorchStorage {
  /** Which of the file's storages it lies in. */
  readonly key: string;
  /** First byte within that one. */
  readonly start: number;
  /** Absent for bytes without a type, which a tensor of any type may be a view of. */
  readonly dtype: Dtype | undefined;
  /** Elements, or bytes where it has no type. */
  readonly length: number;
}

const storages = new WeakSet<object>();

/** Marks what a persistent id stands for, so that nothing else in a pickle can look like it. */
export function torchStorage(storage: TorchStorage): TorchStorage {
  storages.add(storage);
  return storage;
}

export function isTorchStorage(value: unknown): value is TorchStorage {
  return typeof value === "object" && value !== null && storages.has(value);
}

/** Storage classes of `torch` and `torch.cuda`, and the dtype of their elements. */
export const storageDtypes: Readonly<Record<string, Dtype>> = {
  DoubleStorage: "F64",
  FloatStorage: "F32",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
  LongStorage: "I64",
  IntStorage: "I32",
  ShortStorage: "I16",
  CharStorage: "I8",
  ByteStorage: "U8",
  BoolStorage: "BOOL",
};

/** Storages whose elements no dtype here can hold; a file that has one is refused by its name. */
export const refusedStorages: readonly string[] = [
  "ComplexDoubleStorage",
  "ComplexFloatStorage",
  "QInt8Storage",
  "QInt32Storage",
  "QUInt8Storage",
  "QUInt4x2Storage",
  "QUInt2x4Storage",
];

/** Torch's dtypes by their name there. */
export const torchDtypes: Readonly<Record<string, Dtype>> = {
  float64: "F64",
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
  int64: "I64",
  int32: "I32",
  int16: "I16",
  int8: "I8",
  uint64: "U64",
  uint32: "U32",
  uint16: "U16",
  uint8: "U8",
  bool: "BOOL",
};

/** Dtypes that torch has and no dtype here can hold. */
export const refusedDtypes: readonly string[] = [
  "complex32",
  "complex64",
  "complex128",
  "float8_e4m3fn",
  "float8_e4m3fnuz",
  "float8_e5m2",
  "float8_e5m2fnuz",
  "float8_e8m0fnu",
  "qint8",
  "qint32",
  "quint8",
  "quint4x2",
  "quint2x4",
];
