import { type Reader, unzipRaw, type ZipEntry } from "unzipit";
import { type ByteSource, readExactly } from "../byte-source.ts";
import { CheckpointError, quote } from "../checkpoint-error.ts";

/** A zip file of entries that are stored, not compressed, so that any part of one can be read. */
export interface ZipArchive {
  /** Bytes of each entry, by its name. */
  readonly sizes: ReadonlyMap<string, number>;
  /** The first byte of an entry in the file. */
  locate(entry: string): Promise<number>;
}

/** No read of the directory may be longer, whatever the file says: room for some 600,000 entries. */
const longestDirectory = 2 ** 26;

/** Thrown to leave the library where it is about to read an entry: all we want is where. */
class Located {
  readonly start: number;
  constructor(start: number) {
    this.start = start;
  }
}

/** Reads the directory of a zip file, zip64 included. */
export async function openZip(source: ByteSource): Promise<ZipArchive> {
  const name = source.name ?? "checkpoint";
  const reader: Reader = {
    getLength: async () => source.size,
    async read(offset, length) {
      if (!(length <= longestDirectory && offset >= 0 && offset + length <= source.size)) {
        throw new CheckpointError(
          `${name}: expected a zip file's parts within its ${source.size} bytes, got ${length} at ${offset}`,
        );
      }
      return (await readExactly(source, offset, length)) as Uint8Array<ArrayBuffer>;
    },
    readStream: async (start) => {
      throw new Located(start);
    },
  };
  const entries = new Map<string, ZipEntry>();
  const { entries: list } = await zipErrors(name, () => unzipRaw(reader));
  for (const entry of list) {
    if (entries.has(entry.name)) {
      throw new CheckpointError(
        `${name}: expected each zip entry once, got ${quote(entry.name)} twice`,
      );
    }
    entries.set(entry.name, entry);
  }

  return {
    sizes: new Map([...entries].map(([key, { size }]) => [key, size])),
    async locate(key) {
      const entry = entries.get(key);
      if (!entry)
        throw new CheckpointError(`${name}: expected a zip entry ${quote(key)}, got none`);
      if (entry.compressionMethod !== 0) {
        throw new CheckpointError(
          `${name}: expected zip entries that are stored, as torch.save writes them, got ${quote(key)} compressed by method ${entry.compressionMethod}`,
        );
      }
      if (entry.size === 0) return 0;
      return zipErrors(name, async () => {
        try {
          await entry.stream();
        } catch (located) {
          if (located instanceof Located) return located.start;
          throw located;
        }
        throw new Error("an entry without a place");
      });
    },
  };
}

async function zipErrors<T>(name: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (cause instanceof CheckpointError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CheckpointError(`${name}: expected a zip file, got: ${reason}`, { cause });
  }
}
