import { CheckpointError } from "../checkpoint-error.ts";

const text = new TextEncoder();

/** Writes a pickle of protocol 2, which Python has read since 2.3. */
export interface PickleWriter {
  none(): void;
  boolean(value: boolean): void;
  /** A whole number as `int`, another as `float`. */
  number(value: number): void;
  bigint(value: bigint): void;
  string(value: string): void;
  bytes(value: Uint8Array): void;
  list(items: readonly (() => void)[]): void;
  tuple(items: readonly (() => void)[]): void;
  dict(entries: readonly (readonly [key: string, value: () => void])[]): void;
  /** The same in order: `collections.OrderedDict`. */
  orderedDict(entries: readonly (readonly [key: string, value: () => void])[]): void;
  /** A class or function, by name. */
  global(module: string, name: string): void;
  /** Calls the function that `callee` writes with the arguments that `args` writes as a tuple. */
  call(callee: () => void, args: () => void): void;
  /** What the reader looks up by the id that `id` writes. */
  persistent(id: () => void): void;
  /** All of it, ended. */
  finish(): Uint8Array;
}

const op = {
  mark: 0x28,
  stop: 0x2e,
  float: 0x47,
  int4: 0x4a,
  int1: 0x4b,
  int2: 0x4d,
  none: 0x4e,
  persistent: 0x51,
  call: 0x52,
  string: 0x58,
  emptyList: 0x5d,
  global: 0x63,
  appends: 0x65,
  tuple: 0x74,
  setItems: 0x75,
  emptyDict: 0x7d,
  protocol: 0x80,
  yes: 0x88,
  no: 0x89,
  long: 0x8a,
} as const;

export function pickleWriter(): PickleWriter {
  let bytes = new Uint8Array(1 << 12);
  let length = 0;
  /** Room for `count` more bytes, and where it starts. */
  const room = (count: number): number => {
    if (length + count > bytes.length) {
      const larger = new Uint8Array(2 * (length + count));
      larger.set(bytes.subarray(0, length));
      bytes = larger;
    }
    length += count;
    return length - count;
  };
  const putBytes = (values: Uint8Array | readonly number[]) => {
    const at = room(values.length); // which may give `bytes` another array
    bytes.set(values, at);
  };
  const put = (...values: readonly number[]) => putBytes(values);
  const field = (size: number, write: (view: DataView, at: number) => void) => {
    const at = room(size);
    write(new DataView(bytes.buffer), at);
  };
  const marked = (write: () => void, end: number) => {
    put(op.mark);
    write();
    put(end);
  };
  const items = (entries: readonly (readonly [key: string, value: () => void])[]) => {
    if (entries.length === 0) return;
    marked(() => {
      for (const [key, value] of entries) {
        writer.string(key);
        value();
      }
    }, op.setItems);
  };

  const writer: PickleWriter = {
    none: () => put(op.none),
    boolean: (value) => put(value ? op.yes : op.no),
    number: (value) => {
      if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
        put(op.float);
        field(8, (view, at) => view.setFloat64(at, value));
      } else if (value >= 0 && value < 2 ** 8) put(op.int1, value);
      else if (value >= 0 && value < 2 ** 16) put(op.int2, value & 0xff, value >> 8);
      else if (value >= -(2 ** 31) && value < 2 ** 31) {
        put(op.int4);
        field(4, (view, at) => view.setInt32(at, value, true));
      } else writer.bigint(BigInt(value));
    },
    bigint: (value) => {
      const little: number[] = [];
      // Two's complement, with as many bytes as leave the sign where it can be seen.
      for (let rest = value; ; rest >>= 8n) {
        const byte = Number(BigInt.asUintN(8, rest));
        little.push(byte);
        if (rest === BigInt.asIntN(8, rest)) break;
      }
      if (little.length > 0xff) {
        throw new CheckpointError(`int: expected at most 255 bytes, got ${little.length}`);
      }
      put(op.long, little.length, ...little);
    },
    string: (value) => {
      const encoded = text.encode(value);
      put(op.string);
      field(4, (view, at) => view.setUint32(at, encoded.length, true));
      putBytes(encoded);
    },
    bytes: (value) =>
      writer.call(
        () => writer.global("_codecs", "encode"), // protocol 2 has no bytes of its own
        () =>
          writer.tuple([
            () => writer.string(Array.from(value, (byte) => String.fromCharCode(byte)).join("")),
            () => writer.string("latin1"),
          ]),
      ),
    list: (values) => {
      put(op.emptyList);
      if (values.length === 0) return;
      marked(() => {
        for (const value of values) value();
      }, op.appends);
    },
    tuple: (values) =>
      marked(() => {
        for (const value of values) value();
      }, op.tuple),
    dict: (entries) => {
      put(op.emptyDict);
      items(entries);
    },
    orderedDict: (entries) => {
      writer.call(
        () => writer.global("collections", "OrderedDict"),
        () => writer.tuple([]),
      );
      items(entries);
    },
    global: (module, name) => {
      put(op.global);
      putBytes(text.encode(`${module}\n${name}\n`));
    },
    call: (callee, args) => {
      callee();
      args();
      put(op.call);
    },
    persistent: (id) => {
      id();
      put(op.persistent);
    },
    finish: () => {
      put(op.stop);
      return bytes.slice(0, length);
    },
  };
  put(op.protocol, 2);
  return writer;
}
