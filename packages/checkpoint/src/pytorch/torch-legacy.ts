import { type ByteSource, readExactly } from "../byte-source.ts";
import { CheckpointError, quote } from "../checkpoint-error.ts";
import { type PickleCursor, PickleCutError, pickleCursor } from "../pickle/pickle-cursor.ts";
import { kindOf } from "../pickle/pickle-machine.ts";
import { readPickleAt } from "../pickle/read-pickle.ts";
import { longestPickle, type TorchFile } from "./torch-file.ts";
import { readTorchPickle, type TorchPickle } from "./torch-pickle.ts";

/** The number that files of `torch.save` before 1.6 start with. */
const magic = 0x1950a86a20f9469cfc6cn;
const protocol = 1001;

/** What comes before the storages' bytes. */
interface Head extends TorchPickle {
  /** The storages' keys, in the order of the file. */
  readonly keys: readonly string[];
  /** Where the first storage lies. */
  readonly end: number;
}

/**
 * A file of `torch.save` before 1.6: five pickles in a row (a magic number, a version, the writer's
 * machine, the data, the storages' keys), then each storage as its number of elements and its bytes.
 */
export async function openTorchLegacy(source: ByteSource): Promise<TorchFile> {
  const name = source.name ?? "checkpoint";
  const { root, storages, keys, end } = await readHead(name, source);

  const places = new Map<string, { readonly start: number; readonly bytes: number }>();
  let at = end;
  for (const key of keys) {
    const bytes = storages.get(key);
    if (bytes === undefined || places.has(key)) {
      throw new CheckpointError(
        `${name}: expected each storage once that a tensor has, got ${quote(key)}`,
      );
    }
    places.set(key, { start: at + 8, bytes });
    at += 8 + bytes;
  }
  if (places.size !== storages.size) {
    throw new CheckpointError(
      `${name}: expected ${storages.size} storages in the file, got ${places.size}`,
    );
  }
  if (at > source.size) {
    throw new CheckpointError(
      `${name}: expected ${at} bytes for its ${places.size} storages, got ${source.size}: the file was cut`,
    );
  }
  return {
    root,
    async locate(key) {
      const { start, bytes } = places.get(key) as { start: number; bytes: number };
      const elements = await readExactly(source, start - 8, 8);
      const count = new DataView(elements.buffer, elements.byteOffset).getBigInt64(0, true);
      // The elements' size is the class's; whichever it is, it divides the bytes into as many.
      if (count === 0n ? bytes === 0 : isItemSize(bytes / Number(count))) return start;
      throw new CheckpointError(
        `${name}: storage ${quote(key)}: expected ${bytes} bytes, got ${count} elements`,
      );
    },
  };
}

function isItemSize(size: number): boolean {
  return size === 1 || size === 2 || size === 4 || size === 8;
}

/** Reads as far as the pickles go, more and more, since nothing says how long they are. */
async function readHead(name: string, source: ByteSource): Promise<Head> {
  for (let length = 2 ** 18; ; length *= 8) {
    const size = Math.min(length, source.size, longestPickle);
    const bytes = await readExactly(source, 0, size);
    try {
      return parseHead(pickleCursor(name, bytes));
    } catch (error) {
      const more = size < Math.min(source.size, longestPickle);
      if (!(error instanceof PickleCutError && more)) throw error;
    }
  }
}

function parseHead(cursor: PickleCursor): Head {
  const { name } = cursor;
  const plain = () => readPickleAt(cursor, { globals: new Map() });
  if (plain() !== magic) {
    throw new CheckpointError(
      `${name}: expected a file of torch.save, got another pickle (readPickle reads plain ones)`,
    );
  }
  const version = plain();
  if (version !== protocol) {
    throw new CheckpointError(
      `${name}: expected version ${protocol} of torch.save's files, got ${kindOf(version)}`,
    );
  }
  const machine = plain() as { readonly little_endian?: unknown } | null;
  if (machine?.little_endian !== true) {
    throw new CheckpointError(
      `${name}: expected a file of a little-endian machine, got another: save it anew on one`,
    );
  }
  const pickle = readTorchPickle(cursor);
  const keys = plain();
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === "string")) {
    throw new CheckpointError(`${name}: expected the keys of its storages, got ${kindOf(keys)}`);
  }
  return { ...pickle, keys, end: cursor.position() };
}
