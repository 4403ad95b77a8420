import { CheckpointError, quote } from "./checkpoint-error.ts";

const arrays = {
  "<f4": Float32Array,
  "<f8": Float64Array,
  "<i4": Int32Array,
  "<i8": BigInt64Array,
  "|u1": Uint8Array,
} as const;

type Descr = keyof typeof arrays;

/** An array of numpy's: row-major elements and their shape. */
export interface NpyArray {
  readonly shape: readonly number[];
  /** float32, float64, int32, int64 or uint8. */
  readonly data: Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;
}

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]; // \x93NUMPY, version 1.0

/** The bytes of a numpy `.npy` file (version 1.0), as `numpy.save` writes them. */
export function encodeNpy({ shape, data }: NpyArray): Uint8Array {
  const descr = (Object.keys(arrays) as Descr[]).find((key) => data instanceof arrays[key]);
  if (!descr) throw new CheckpointError(`npy: expected ${supported()}, got another array`);
  assertElements(shape, data.length);
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  // Like numpy, with room for a first axis of 21 digits, so that a file can be appended to.
  const room = " ".repeat(shape.length > 0 ? 21 - String(shape[0]).length : 0);
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }${room}`;
  const start = 64 * (1 + Math.floor((10 + text.length + 1) / 64)); // data is aligned to 64 bytes
  if (start - 10 > 0xffff)
    throw new CheckpointError(`npy: expected fewer axes, got ${shape.length}`);

  const bytes = new Uint8Array(start + data.byteLength);
  bytes.set(magic);
  new DataView(bytes.buffer).setUint16(8, start - 10, true);
  bytes.set(new TextEncoder().encode(`${text.padEnd(start - 11)}\n`), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  return bytes;
}

/** The array in a numpy `.npy` file (version 1.0), in memory of its own. */
export function decodeNpy(bytes: Uint8Array): NpyArray {
  if (bytes.length < 10 || magic.some((byte, i) => bytes[i] !== byte)) {
    throw new CheckpointError("npy: expected a .npy file of version 1.0, got other bytes");
  }
  const start = 10 + new DataView(bytes.buffer, bytes.byteOffset).getUint16(8, true);
  if (start > bytes.length) {
    throw new CheckpointError(
      `npy: expected a header of ${start} bytes, got ${bytes.length} in all`,
    );
  }
  const header = new TextDecoder("latin1").decode(bytes.subarray(10, start));
  const { descr, shape } = parseHeader(header);
  const ArrayOf = arrays[descr];
  const data = new Uint8Array(bytes.subarray(start)); // a copy, which is aligned
  const length = data.byteLength / ArrayOf.BYTES_PER_ELEMENT;
  assertElements(shape, length);
  return { shape, data: new ArrayOf(data.buffer, 0, length) };
}

/** Reads the header's dictionary, a Python literal whose three keys stand in any order. */
function parseHeader(header: string): { readonly descr: Descr; readonly shape: readonly number[] } {
  const field = (pattern: RegExp, expected: string): string => {
    const value = pattern.exec(header)?.[1];
    if (value !== undefined) return value;
    throw new CheckpointError(
      `npy: expected ${expected} in the header, got ${quote(header.trim())}`,
    );
  };
  const descr = field(/'descr': *'([^']*)'/, "a descr");
  const fortran = field(/'fortran_order': *(True|False)/, "fortran_order");
  const shape = field(/'shape': *\(([\d, ]*)\)/, "a shape").match(/\d+/g) ?? [];
  if (!Object.hasOwn(arrays, descr)) {
    throw new CheckpointError(`npy: expected ${supported()}, got ${quote(descr)}`);
  }
  if (fortran === "True") {
    throw new CheckpointError(
      "npy: expected rows first (C order), got Fortran order: save numpy.ascontiguousarray(array)",
    );
  }
  return { descr: descr as Descr, shape: shape.map(Number) };
}

function assertElements(shape: readonly number[], length: number): void {
  if (!shape.every((axis) => Number.isSafeInteger(axis) && axis >= 0)) {
    throw new CheckpointError(
      `npy: expected a shape of non-negative integers, got [${shape.join(", ")}]`,
    );
  }
  const size = shape.reduce((a, b) => a * b, 1);
  if (size === length) return;
  throw new CheckpointError(
    `npy: expected ${size} elements for [${shape.join(", ")}], got ${length}`,
  );
}

function supported(): string {
  return `one of ${Object.keys(arrays).join(", ")}`;
}
