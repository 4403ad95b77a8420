import { CheckpointError } from "./checkpoint-error.ts";

/** Bytes that can be read from anywhere in them: a file, a `Blob`, memory, a server's ranges. */
export interface ByteSource {
  /** What errors call it, such as a path. */
  readonly name?: string;
  /** Bytes in all. */
  readonly size: number;
  /** Exactly `length` bytes from `offset`, which the caller may keep. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** The part of the web's `Blob` and `File` that is used here. */
export interface BlobLike {
  readonly name?: string;
  readonly size: number;
  slice(start: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> };
}

/** A byte source over what a checkpoint may lie in. */
export function byteSource(source: ByteSource | BlobLike | Uint8Array): ByteSource {
  if (source instanceof Uint8Array) {
    return {
      size: source.byteLength,
      // A copy: a tensor made of it must not change when the caller's bytes do.
      read: async (offset, length) => new Uint8Array(source.subarray(offset, offset + length)),
    };
  }
  if ("read" in source) return source;
  const read = async (offset: number, length: number) =>
    new Uint8Array(await source.slice(offset, offset + length).arrayBuffer());
  return { name: source.name ?? "blob", size: source.size, read };
}

/** Reads, and makes sure that as much came as was asked for. */
export async function readExactly(
  source: ByteSource,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = await source.read(offset, length);
  if (bytes.byteLength === length) return bytes;
  throw new CheckpointError(
    `${source.name ?? "checkpoint"}: expected ${length} bytes at ${offset}, got ${bytes.byteLength}`,
  );
}
