/** An entry of a zip file, stored unless a method says otherwise. */
export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** How the directory says it is compressed; the bytes are taken as they are. */
  readonly method?: number;
}

export interface ZipOptions {
  /** Whether sizes and places stand in the extra fields that files beyond 4 GiB have. */
  readonly zip64?: boolean;
}

/** A zip file in memory, without check sums, which the reader does not look at. */
export function zip(entries: readonly ZipEntry[], { zip64 = false }: ZipOptions = {}): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const { name, bytes, method = 0 } of entries) {
    const text = new TextEncoder().encode(name);
    const size = bytes.length;
    const extra = zip64 ? join(u16(1), u16(24), u64(size), u64(size), u64(at)) : new Uint8Array(0);
    const short = (value: number) => u32(zip64 ? 0xffffffff : value);
    const lengths = join(u16(text.length), u16(extra.length));
    const common = join(u16(45), u16(0), u16(method), u32(0), u32(0), short(size), short(size));
    directory.push(
      join(u32(0x02014b50), u16(45), common, lengths, u16(0), u16(0), u16(0), u32(0), short(at)),
      text,
      extra,
    );
    const local = join(u32(0x04034b50), common, lengths, text, extra, bytes);
    parts.push(local);
    at += local.length;
  }
  const listing = join(...directory);
  const count = entries.length;
  const end64 = join(
    ...[u32(0x06064b50), u64(44), u16(45), u16(45), u32(0), u32(0), u64(count), u64(count)],
    ...[u64(listing.length), u64(at), u32(0x07064b50), u32(0), u64(at + listing.length), u32(1)],
  );
  const most = zip64 ? 0xffff : count;
  const end = join(
    ...[u32(0x06054b50), u16(0), u16(0), u16(most), u16(most)],
    ...[u32(zip64 ? 0xffffffff : listing.length), u32(zip64 ? 0xffffffff : at), u16(0)],
  );
  return join(...parts, listing, zip64 ? end64 : new Uint8Array(0), end);
}

export function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(parts));
}

const little = (length: number) => (value: number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return new Uint8Array(bytes.subarray(0, length));
};
export const u16 = little(2);
export const u32 = little(4);
export const u64 = little(8);
