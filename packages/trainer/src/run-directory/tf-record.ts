import { maskedCrc32c } from "./crc32c.ts";

/** Bytes of a record besides its data: length (8), its CRC (4), and the data's CRC (4). */
const overhead = 16;

/** A record of a TFRecord file: length, masked CRC of the length, data, masked CRC of the data. */
export function encodeRecord(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(data.length + overhead);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return bytes;
}

/** A record and where it begins in its file. */
export interface RecordAt {
  readonly start: number;
  readonly end: number;
  readonly data: Uint8Array;
}

/** The whole records at the front of `bytes`; ends where one was cut short or does not check. */
export function* decodeRecords(bytes: Uint8Array): Generator<RecordAt, void, undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = 0;
  while (start + overhead <= bytes.length) {
    const length = Number(view.getBigUint64(start, true));
    const end = start + length + overhead;
    if (end > bytes.length) return;
    const data = bytes.subarray(start + 12, end - 4);
    const header = bytes.subarray(start, start + 8);
    const checks =
      view.getUint32(start + 8, true) === maskedCrc32c(header) &&
      view.getUint32(end - 4, true) === maskedCrc32c(data);
    if (!checks) return;
    yield { start, end, data };
    start = end;
  }
}
