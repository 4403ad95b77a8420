import { CheckpointError } from "../checkpoint-error.ts";
import { crc32 } from "./crc32.ts";

/** A file to put into a zip file. Its bytes are asked for when its turn comes. */
export interface ZipFile {
  readonly name: string;
  readonly size: number;
  bytes(): Promise<Uint8Array> | Uint8Array;
}

/** PyTorch maps storages into memory, for which they start at multiples of this. */
const alignment = 64;
const longest = 2 ** 32 - 1;
const utf8Names = 0x0800;
const firstDay = 0x0021; // 1980-01-01: the same files give the same bytes

/**
 * The bytes of a zip file whose files are stored as they are, as PyTorch writes them: local
 * headers stretched so that contents are aligned. Less than 4 GiB in all.
 */
export async function* storedZip(
  files: readonly ZipFile[],
  name: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  assertFits(files, name);
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const file of files) {
    const bytes = await file.bytes();
    if (bytes.length !== file.size) {
      throw new CheckpointError(`${file.name}: expected ${file.size} bytes, got ${bytes.length}`);
    }
    const path = new TextEncoder().encode(file.name);
    const crc = crc32(bytes);
    const header = localHeader(path, crc, bytes.length, offset);
    yield header;
    yield bytes;
    directory.push(centralHeader(path, crc, bytes.length, offset));
    offset += header.length + bytes.length;
  }
  const start = offset;
  for (const entry of directory) {
    yield entry;
    offset += entry.length;
  }
  yield endRecord(files.length, offset - start, start);
}

function assertFits(files: readonly ZipFile[], name: string): void {
  const headers = files.reduce((sum, file) => sum + 2 * file.name.length + 76 + alignment + 4, 22);
  const total = files.reduce((sum, { size }) => sum + size, headers);
  if (total <= longest && files.length < 0xffff) return;
  throw new CheckpointError(
    `${name}: expected less than 4 GiB and 65,535 tensors for a file of torch.save, ` +
      `got about ${total} bytes in ${files.length} parts: write safetensors`,
  );
}

function localHeader(path: Uint8Array, crc: number, size: number, offset: number): Uint8Array {
  const plain = offset + 30 + path.length + 4;
  const padding = (alignment - (plain % alignment)) % alignment;
  const bytes = new Uint8Array(30 + path.length + 4 + padding);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x04034b50, true);
  common(view, 4, crc, size, path.length);
  view.setUint16(28, 4 + padding, true);
  bytes.set(path, 30);
  view.setUint16(30 + path.length, 0x4246, true); // "FB", as PyTorch calls its padding
  view.setUint16(32 + path.length, padding, true);
  bytes.fill(0x5a, 34 + path.length);
  return bytes;
}

function centralHeader(path: Uint8Array, crc: number, size: number, offset: number): Uint8Array {
  const bytes = new Uint8Array(46 + path.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x02014b50, true);
  common(view, 6, crc, size, path.length);
  view.setUint32(42, offset, true);
  bytes.set(path, 46);
  return bytes;
}

/** What both headers have, from the version that is needed to the length of the name. */
function common(view: DataView, at: number, crc: number, size: number, pathLength: number): void {
  view.setUint16(at, 10, true); // version 1.0: nothing but storing
  view.setUint16(at + 2, utf8Names, true);
  view.setUint16(at + 8, firstDay, true);
  view.setUint32(at + 10, crc, true);
  view.setUint32(at + 14, size, true);
  view.setUint32(at + 18, size, true);
  view.setUint16(at + 22, pathLength, true);
}

function endRecord(count: number, size: number, start: number): Uint8Array {
  const bytes = new Uint8Array(22);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x06054b50, true);
  view.setUint16(8, count, true);
  view.setUint16(10, count, true);
  view.setUint32(12, size, true);
  view.setUint32(16, start, true);
  return bytes;
}
