import { arrayOf, type Dtype, type TensorArray } from "./dtype.ts";
import { bfloat16ToFloat32, float16ToFloat32 } from "./half.ts";

/** Elements in memory from their bytes in a file. */
export function elements(dtype: Dtype, buffer: ArrayBuffer): TensorArray {
  if (dtype === "F16") return float16ToFloat32(new Uint16Array(buffer));
  if (dtype === "BF16") return bfloat16ToFloat32(new Uint16Array(buffer));
  return new (arrayOf(dtype))(buffer);
}

/** A buffer of these bytes and no others: theirs where it is one, else a copy, which is aligned. */
export function ownBuffer(bytes: Uint8Array): ArrayBuffer {
  const { buffer, byteLength } = bytes;
  const whole = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
  return whole ? buffer : new Uint8Array(bytes).buffer;
}
