import type { Pixels } from "@dino/ops";

/**
 * Pictures out of a stream of binary PPM files, one after the other: each tells its own size.
 * Throws where something else comes, and where the last one is cut.
 */
export async function* ppmStream(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Pixels> {
  let waiting: Uint8Array[] = [];
  let held = 0;
  let needed = 0;
  for await (const chunk of chunks) {
    waiting.push(chunk);
    held += chunk.length;
    if (held < needed) continue;
    let bytes = joined(waiting, held);
    for (;;) {
      const header = readHeader(bytes);
      const end = header && header.start + header.size;
      needed = end ?? bytes.length + 1;
      if (!header || needed > bytes.length) break;
      const { width, height, start } = header;
      yield { width, height, data: new Uint8Array(bytes.subarray(start, needed)) };
      bytes = bytes.subarray(needed);
    }
    waiting = bytes.length > 0 ? [bytes] : [];
    held = bytes.length;
  }
  if (held > 0) throw new Error(`expected a whole frame at the end, got ${held} bytes of one`);
}

interface Header {
  readonly width: number;
  readonly height: number;
  /** Where the pixels begin. */
  readonly start: number;
  /** Bytes of pixels. */
  readonly size: number;
}

/** The header at the start of the bytes; nothing where more of it has to come. */
function readHeader(bytes: Uint8Array): Header | undefined {
  const longest = 64;
  const text = String.fromCharCode(...bytes.subarray(0, longest));
  const [whole, width, height] = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(text) ?? [];
  if (whole === undefined) {
    if (text.length < longest && "P6".startsWith(text.slice(0, 2))) return undefined;
    throw new Error("expected frames as binary PPM, got something else");
  }
  const [columns, rows] = [Number(width), Number(height)];
  return { width: columns, height: rows, start: whole.length, size: 3 * columns * rows };
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only) return only;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
