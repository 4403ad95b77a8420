import { type Entries, encodeSafetensors, type Metadata, type TensorData } from "@dino/checkpoint";

/** All chunks in one. */
export function join(chunks: Iterable<Uint8Array>): Uint8Array {
  return new Uint8Array(Buffer.concat([...chunks]));
}

/** A safetensors file in memory. */
export function encode(entries: Entries<TensorData>, metadata?: Metadata): Uint8Array {
  return join(encodeSafetensors(entries, metadata));
}

/** A file with this header, as it stands, and this many bytes of data. */
export function file(header: string | Uint8Array, dataBytes = 0): Uint8Array {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

export function float32(shape: readonly number[], values: readonly number[]): TensorData {
  return { dtype: "F32", shape, data: Float32Array.from(values) };
}

/** One small tensor of every dtype, two of some, and a scalar and an empty one. */
export function everyDtype(): Record<string, TensorData> {
  return {
    "layer.b": float32([2, 2], [1, -2, 0.5, 3e38]),
    "layer.a": float32([3], [Number.NaN, -0, Number.POSITIVE_INFINITY]),
    scalar: float32([], [7]),
    empty: float32([3, 0], []),
    f64: { dtype: "F64", shape: [2], data: Float64Array.of(Math.PI, -1e300) },
    f16: { dtype: "F16", shape: [4], data: Float32Array.of(1, -65504, 2 ** -24, 0.333251953125) },
    bf16: { dtype: "BF16", shape: [2], data: Float32Array.of(1.0078125, -(2 ** 100)) },
    i64: { dtype: "I64", shape: [2], data: BigInt64Array.of(-(2n ** 63n), 5n) },
    u64: { dtype: "U64", shape: [1], data: BigUint64Array.of(2n ** 64n - 1n) },
    i32: { dtype: "I32", shape: [1], data: Int32Array.of(-(2 ** 31)) },
    u32: { dtype: "U32", shape: [1], data: Uint32Array.of(2 ** 32 - 1) },
    i16: { dtype: "I16", shape: [1], data: Int16Array.of(-32768) },
    u16: { dtype: "U16", shape: [1], data: Uint16Array.of(65535) },
    i8: { dtype: "I8", shape: [3], data: Int8Array.of(-128, 0, 127) },
    u8: { dtype: "U8", shape: [1], data: Uint8Array.of(255) },
    bool: { dtype: "BOOL", shape: [3], data: Uint8Array.of(1, 0, 1) },
  };
}
