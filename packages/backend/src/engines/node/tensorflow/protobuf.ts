/** Bytes of a protocol buffer's message, or of a part of one. */
export type Bytes = Uint8Array;

/** Parts of a message, one behind the other. */
export function joined(parts: readonly Bytes[]): Bytes {
  return Buffer.concat(parts);
}

/** A field that holds bytes: a text, a message, packed numbers. */
export function bytesField(field: number, value: Bytes | string): Bytes {
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  return joined([tag(field, 2), varint(bytes.length), bytes]);
}

/** A field that holds a whole number from 0, or a truth value. */
export function numberField(field: number, value: number | boolean): Bytes {
  return joined([tag(field, 0), varint(Number(value))]);
}

/** A field that holds a 32-bit floating-point number. */
export function floatField(field: number, value: number): Bytes {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return joined([tag(field, 5), bytes]);
}

/** A field that holds a map from texts. */
export function mapField(field: number, entries: Readonly<Record<string, Bytes | string>>): Bytes {
  return joined(
    Object.entries(entries).map(([key, value]) =>
      bytesField(field, joined([bytesField(1, key), bytesField(2, value)])),
    ),
  );
}

function tag(field: number, wireType: number): Bytes {
  return varint(field * 8 + wireType);
}

function varint(value: number): Bytes {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.from([...bytes, rest]);
}
