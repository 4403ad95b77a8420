// All four work on bit patterns, so that a value survives the way there and back, NaN payloads
// included.

/** IEEE binary16 bit patterns as the float32 values that they stand for. */
export function float16ToFloat32(halves: Uint16Array): Float32Array {
  const values = new Float32Array(halves.length);
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i] as number;
    const sign = (half & 0x8000) << 16;
    const exponent = (half >>> 10) & 0x1f;
    const mantissa = half & 0x3ff;
    if (exponent === 0) {
      values[i] = mantissa * 2 ** -24; // zero or subnormal, exact in float32
      bits[i] = (bits[i] as number) | sign;
    } else {
      const wide = exponent === 0x1f ? 0xff : exponent + 112;
      bits[i] = sign | (wide << 23) | (mantissa << 13);
    }
  }
  return values;
}

/** bfloat16 bit patterns as the float32 values that they stand for. */
export function bfloat16ToFloat32(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = (halves[i] as number) << 16;
  return new Float32Array(bits.buffer);
}

/** float32 values as binary16 bit patterns: nearest, ties to even, infinite beyond 65519. */
export function float32ToFloat16(values: Float32Array): Uint16Array {
  const bits = bitsOf(values);
  return Uint16Array.from(bits, (value) => {
    const sign = (value >>> 16) & 0x8000;
    const magnitude = value & 0x7fffffff;
    if (magnitude > 0x7f800000) return sign | 0x7c00 | nanPayload((magnitude >>> 13) & 0x3ff);
    if (magnitude >= 0x477ff000) return sign | 0x7c00; // rounds to 2 ** 16 or is infinite
    if (magnitude >= 0x38800000) return sign | roundedShift(magnitude - (112 << 23), 13);
    // Subnormal: units of 2 ** -24, with the leading one made explicit.
    const shift = 126 - (magnitude >>> 23);
    if (shift > 24) return sign;
    return sign | roundedShift((magnitude & 0x7fffff) | 0x800000, shift);
  });
}

/** float32 values as bfloat16 bit patterns: nearest, ties to even. */
export function float32ToBfloat16(values: Float32Array): Uint16Array {
  return Uint16Array.from(bitsOf(values), (value) => {
    if ((value & 0x7fffffff) > 0x7f800000) return (value >>> 16) | (value & 0x7f0000 ? 0 : 0x40);
    return roundedShift(value, 16);
  });
}

/** `value >>> shift`, rounded to the nearest, ties to even. */
function roundedShift(value: number, shift: number): number {
  const rest = value & (2 ** shift - 1);
  const half = 2 ** (shift - 1);
  const down = value >>> shift;
  return rest > half || (rest === half && down & 1) ? down + 1 : down;
}

/** A NaN whose payload lay in the bits that were cut off must not become an infinity. */
function nanPayload(mantissa: number): number {
  return mantissa === 0 ? 0x200 : mantissa;
}

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}
