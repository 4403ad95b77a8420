import { type ByteSource, readExactly } from "../byte-source.ts";
import { CheckpointError, quote } from "../checkpoint-error.ts";
import { latin1, pickleCursor } from "../pickle/pickle-cursor.ts";
import { longestPickle, type TorchFile } from "./torch-file.ts";
import { readTorchPickle } from "./torch-pickle.ts";
import { openZip, type ZipArchive } from "./zip-archive.ts";

/**
 * A file of `torch.save` since 1.6: a zip file with one folder of any name, in it `data.pkl`, the
 * storages as `data/0`, `data/1` and so on, and since 2.1 `byteorder`.
 */
export async function openTorchZip(source: ByteSource): Promise<TorchFile> {
  const name = source.name ?? "checkpoint";
  const zip = await openZip(source);
  const folder = pickleFolder(name, zip);
  await assertLittleEndian(name, source, zip, folder);

  const bytes = await readEntry(name, source, zip, `${folder}data.pkl`, longestPickle);
  const { root, storages } = readTorchPickle(pickleCursor(name, bytes));
  for (const [key, length] of storages) {
    const size = zip.sizes.get(`${folder}data/${key}`);
    if (size === undefined || size < length) {
      throw new CheckpointError(
        `${name}: storage ${quote(key)}: expected ${length} bytes in the file, got ${size ?? "none"}`,
      );
    }
  }
  const places = new Map<string, Promise<number>>();
  return {
    root,
    locate(key) {
      const known = places.get(key);
      if (known) return known;
      const place = zip.locate(`${folder}data/${key}`);
      place.catch(() => places.delete(key)); // a read that failed may be tried again
      places.set(key, place);
      return place;
    },
  };
}

/** The folder in which the pickle lies, with its slash. */
function pickleFolder(name: string, { sizes }: ZipArchive): string {
  const pickles = [...sizes.keys()].filter((key) => /^([^/]+\/)?data\.pkl$/.test(key));
  const [pickle] = pickles;
  if (pickles.length !== 1 || pickle === undefined) {
    throw new CheckpointError(
      `${name}: expected a zip file of torch.save with one data.pkl, got ${pickles.length} in ${sizes.size} entries`,
    );
  }
  const folder = pickle.slice(0, -"data.pkl".length);
  if (sizes.has(`${folder}constants.pkl`)) {
    throw new CheckpointError(
      `${name}: expected tensors of torch.save, got a TorchScript program: save its state_dict()`,
    );
  }
  return folder;
}

async function assertLittleEndian(
  name: string,
  source: ByteSource,
  zip: ZipArchive,
  folder: string,
): Promise<void> {
  const entry = `${folder}byteorder`;
  if (!zip.sizes.has(entry)) return; // before 2.1, when all was little-endian
  const order = latin1(await readEntry(name, source, zip, entry, 16));
  if (order === "little") return;
  throw new CheckpointError(
    `${name}: expected little-endian tensors, got byteorder ${quote(order)}: save it anew on a little-endian machine`,
  );
}

async function readEntry(
  name: string,
  source: ByteSource,
  zip: ZipArchive,
  entry: string,
  longest: number,
): Promise<Uint8Array> {
  const size = zip.sizes.get(entry) ?? 0;
  if (size > longest) {
    throw new CheckpointError(
      `${name}: expected at most ${longest} bytes in ${quote(entry)}, got ${size}`,
    );
  }
  return readExactly(source, await zip.locate(entry), size);
}
