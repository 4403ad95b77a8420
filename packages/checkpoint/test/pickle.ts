import { join, u32 } from "./zip.ts";

/** Opcodes of a pickle, piece by piece: numbers are bytes, text is Latin-1. */
export function ops(...parts: readonly (number | string | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  return join(
    ...parts.map((part) => {
      if (typeof part === "number") return Uint8Array.of(part);
      return typeof part === "string" ? new Uint8Array(Buffer.from(part, "latin1")) : part;
    }),
  );
}

/** A whole pickle of protocol 2 around them. */
export function pickle(
  ...parts: readonly (number | string | Uint8Array)[]
): Uint8Array<ArrayBuffer> {
  return ops(0x80, 2, ...parts, ".");
}

export const text = (value: string): Uint8Array => {
  const bytes = new TextEncoder().encode(value);
  return ops("X", u32(bytes.length), bytes);
};

/** An integer of up to 63 bits. */
export const int = (value: number): Uint8Array => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return ops(0x8a, 8, bytes);
};

export const tuple = (...items: readonly Uint8Array[]): Uint8Array => ops("(", ...items, "t");
export const global = (module: string, name: string): Uint8Array =>
  ops("c", `${module}\n${name}\n`);
export const call = (callee: Uint8Array, ...args: readonly Uint8Array[]): Uint8Array =>
  ops(callee, tuple(...args), "R");
export const dict = (entries: Readonly<Record<string, Uint8Array>>): Uint8Array =>
  ops("}", "(", ...Object.entries(entries).flatMap(([key, value]) => [text(key), value]), "u");

/** A tensor of torch's, as a pickle describes it. */
export interface TensorParts {
  readonly storageClass?: string;
  readonly key?: string;
  readonly elements?: number;
  readonly offset?: number;
  readonly shape?: readonly number[];
  readonly strides?: readonly number[];
  /** What legacy files say of a storage that is a part of another. */
  readonly part?: Uint8Array;
}

export function tensor({
  storageClass = "FloatStorage",
  key = "0",
  elements = 6,
  offset = 0,
  shape = [2, 3],
  strides = [3, 1],
  part,
}: TensorParts = {}): Uint8Array {
  const id = tuple(
    ...[text("storage"), global("torch", storageClass), text(key), text("cpu"), int(elements)],
    ...(part ? [part] : []),
  );
  return call(
    global("torch._utils", "_rebuild_tensor_v2"),
    ...[ops(id, "Q"), int(offset), tuple(...shape.map(int)), tuple(...strides.map(int))],
    ...[ops(0x89), ops("N")],
  );
}

/** Short for bytes of the length that BINBYTES counts. */
export const bytes = (value: Uint8Array): Uint8Array => ops("B", u32(value.length), value);
