import { CheckpointError } from "../checkpoint-error.ts";

/** A pickle ended before its STOP: there may be more of it where the bytes came from. */
export class PickleCutError extends CheckpointError {}

/** Reads a pickle's bytes in order. Every method throws a `PickleCutError` where they end. */
export interface PickleCursor {
  readonly name: string;
  /** Where the next byte is read. */
  position(): number;
  byte(): number;
  uint16(): number;
  int32(): number;
  uint32(): number;
  /** A length: an error where it is beyond exact integers. */
  uint64(): number;
  /** Float64, most significant byte first, as pickles have it. */
  float64(): number;
  /** These bytes, as a view. */
  bytes(length: number): Uint8Array;
  /** Latin-1 text up to a line feed, which is left out. At most `longestLine` of it. */
  line(): string;
}

const longestLine = 512;

export function pickleCursor(name: string, source: Uint8Array, start = 0): PickleCursor {
  const view = new DataView(source.buffer, source.byteOffset, source.byteLength);
  let at = start;

  /** Where to read `length` bytes that are there. */
  function advance(length: number): number {
    if (length > source.length - at) {
      throw new PickleCutError(
        `${name}: expected a pickle with ${length} bytes more at ${at}, got ${source.length - at}`,
      );
    }
    const from = at;
    at += length;
    return from;
  }

  return {
    name,
    position: () => at,
    byte: () => view.getUint8(advance(1)),
    uint16: () => view.getUint16(advance(2), true),
    int32: () => view.getInt32(advance(4), true),
    uint32: () => view.getUint32(advance(4), true),
    uint64() {
      const value = Number(view.getBigUint64(advance(8), true));
      if (Number.isSafeInteger(value)) return value;
      throw new CheckpointError(
        `${name}: expected a length below 2 ** 53 in the pickle, got ${value}`,
      );
    },
    float64: () => view.getFloat64(advance(8), false),
    bytes(length) {
      const from = advance(length);
      return source.subarray(from, from + length);
    },
    line() {
      const end = source.subarray(at, at + longestLine + 1).indexOf(0x0a);
      if (end < 0 && source.length - at > longestLine) {
        throw new CheckpointError(
          `${name}: expected at most ${longestLine} characters in a pickle's line, got more at ${at}`,
        );
      }
      const from = advance(end < 0 ? source.length - at + 1 : end + 1);
      return latin1(source.subarray(from, at - 1));
    },
  };
}

/** One character a byte. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 4096) {
    text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  }
  return text;
}
