import { decode, encode } from "fast-png";

/** A number for each pixel: the object that it belongs to, 0 for none. */
export interface Labels {
  readonly width: number;
  readonly height: number;
  /** Row by row: `height * width` numbers. */
  readonly data: Uint8Array;
}

/** The colours of the first objects in DAVIS's palette; those of all others are greys. */
const davisColors = [
  ...[0x000000, 0x800000, 0x008000, 0x808000, 0x000080, 0x800080, 0x008080, 0x808080],
  ...[0x400000, 0xbf0000, 0x408000, 0xbf8000, 0x400080, 0xbf0080, 0x408080, 0xbf8080],
  ...[0x004000, 0x804000, 0x00bf00, 0x80bf00, 0x004080, 0x804080],
];

/** The palette of the DAVIS benchmark's annotations: 256 colours. */
const davisPalette = Array.from({ length: 256 }, (_, label) => {
  const color = davisColors[label] ?? label * 0x010101;
  return [color >> 16, (color >> 8) & 255, color & 255];
});

/** The bytes of a PNG file with a palette, that of DAVIS: a pixel's number is its label. */
export function encodeLabelPng({ width, height, data }: Labels): Uint8Array {
  if (data.length !== width * height) {
    throw new RangeError(
      `labels: expected ${width} x ${height} = ${width * height} numbers, got ${data.length}`,
    );
  }
  return encode({ width, height, data, channels: 1, depth: 8, palette: davisPalette });
}

/** More pixels than any mask has: a file that says so is not decoded. */
const mostPixels = 2 ** 26;

/**
 * The numbers in a PNG file: those of its palette's colours, or its greys. A `RangeError` that names
 * `name` says what else it is.
 */
export function decodeLabelPng(bytes: Uint8Array, name = "labels"): Labels {
  const { width, height, depth, channels, data, palette } = decoded(bytes, name);
  if (channels !== 1 || depth > 8) {
    throw new RangeError(
      `${name}: expected a PNG with a palette or of 8-bit greys, whose numbers are objects, got ` +
        `${channels} channels of ${depth} bits`,
    );
  }
  if (depth === 8) return { width, height, data: Uint8Array.from(data) };
  return { width, height, data: unpacked(data, { width, height, depth, isGrey: !palette }) };
}

function decoded(bytes: Uint8Array, name: string): ReturnType<typeof decode> {
  const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
  if (bytes.length < 33 || signature.some((byte, i) => bytes[i] !== byte)) {
    throw new RangeError(`${name}: expected a PNG file, got other bytes`);
  }
  const header = new DataView(bytes.buffer, bytes.byteOffset);
  const [width, height] = [header.getUint32(16), header.getUint32(20)];
  if (width * height > mostPixels) {
    throw new RangeError(
      `${name}: expected at most ${mostPixels} pixels, got ${width} x ${height}`,
    );
  }
  try {
    return decode(bytes);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RangeError(`${name}: expected a whole PNG file, got one that is not (${reason})`, {
      cause,
    });
  }
}

interface Packing {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly isGrey: boolean;
}

/** Pixels of 1, 2 or 4 bits; greys are stretched to 8, as other readers do. */
function unpacked(bytes: ArrayLike<number>, { width, height, depth, isGrey }: Packing): Uint8Array {
  const stride = Math.ceil((width * depth) / 8);
  const most = 2 ** depth - 1;
  const scale = isGrey ? 255 / most : 1;
  return Uint8Array.from({ length: width * height }, (_, pixel) => {
    const x = pixel % width;
    const byte = bytes[Math.floor(pixel / width) * stride + ((x * depth) >> 3)] as number;
    return scale * ((byte >> (8 - depth - ((x * depth) % 8))) & most);
  });
}
