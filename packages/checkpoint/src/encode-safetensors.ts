import * as tf from "@tensorflow/tfjs-core";
import { CheckpointError, quote } from "./checkpoint-error.ts";
import {
  arrayOf,
  bytesOf,
  type Dtype,
  dtypes,
  isDtype,
  itemSize,
  type TensorData,
} from "./dtype.ts";
import { longestHeader } from "./safetensors-header.ts";
import type { StoredTensor } from "./stored-tensor.ts";

/** Tensors by name. */
export type Entries<T> = Readonly<Record<string, T>> | ReadonlyMap<string, T>;

/** A tensor in memory, on a device, or in another file. */
export type Writable = tf.Tensor | TensorData | StoredTensor;

/** Free text by name, kept beside the tensors. */
export type Metadata = Readonly<Record<string, string>>;

/**
 * The bytes of a safetensors file, chunk by chunk: the header, then one chunk a tensor. The same
 * tensors and metadata give the same bytes, whatever order they come in, and they are the bytes
 * that the format's own implementation writes (which takes several metadata in random order; here
 * they are sorted).
 */
export function encodeSafetensors(
  entries: Entries<TensorData>,
  metadata: Metadata = {},
): Iterable<Uint8Array> {
  const layout = lay(entries);
  for (const [name, entry] of layout) assertElements(name, entry);
  const header = encodeHeader(layout, metadata);
  return (function* () {
    yield header;
    for (const [, entry] of layout) yield bytesOf(entry);
  })();
}

/**
 * The same for tensors that lie on a device or in another file as well: each is read when its
 * turn comes, so that no more than one of them is in memory twice. They stay the caller's.
 */
export async function* streamSafetensors(
  entries: Entries<Writable>,
  metadata: Metadata = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const layout = lay(entries);
  for (const [name, entry] of layout) {
    if ("data" in entry && !(entry instanceof tf.Tensor)) assertElements(name, entry);
  }
  yield encodeHeader(layout, metadata);
  for (const [name, entry] of layout) yield bytesOf(await elementsOf(name, entry));
}

/** A tensor's elements in memory. */
export async function elementsOf(name: string, entry: Writable): Promise<TensorData> {
  if (entry instanceof tf.Tensor) {
    return { dtype: dtypeOf(name, entry), shape: entry.shape, data: await entry.data() };
  }
  if ("data" in entry) return entry;
  const { dtype, shape } = entry;
  const loaded = { dtype, shape, data: (await entry.load()).data };
  assertElements(name, loaded);
  return loaded;
}

/** The entries in the order of the file. */
function lay<T extends Writable>(entries: Entries<T>): readonly [string, T][] {
  const list: [string, T][] = [
    ...(entries instanceof Map ? entries.entries() : Object.entries(entries)),
  ];
  for (const [name, entry] of list) {
    dtypeOf(name, entry);
    if (name === "__metadata__") {
      throw new CheckpointError(`${name}: expected another name, got the one that metadata has`);
    }
    assertUnicode("name", name);
  }
  const rank = ([name, entry]: [string, T]) => dtypes.indexOf(dtypeOf(name, entry));
  return list.sort((a, b) => rank(a) - rank(b) || byCodePoint(a[0], b[0]));
}

/** The dtype that a file holds it in. */
export function dtypeOf(name: string, entry: Writable): Dtype {
  if (!(entry instanceof tf.Tensor)) {
    if (isDtype(entry.dtype)) return entry.dtype;
    throw new CheckpointError(
      `${name}: expected a dtype of ${dtypes.join(", ")}, got ${String(entry.dtype)}`,
    );
  }
  if (entry.dtype === "float32") return "F32";
  if (entry.dtype === "int32") return "I32";
  if (entry.dtype === "bool") return "BOOL";
  throw new CheckpointError(`${name}: expected float32, int32 or bool, got ${entry.dtype}`);
}

function encodeHeader(layout: readonly [string, Writable][], metadata: Metadata): Uint8Array {
  const fields: string[] = [];
  if (Object.keys(metadata).length > 0) fields.push(`"__metadata__":${encodeMetadata(metadata)}`);
  let start = 0;
  for (const [name, entry] of layout) {
    const dtype = dtypeOf(name, entry);
    const end = start + tf.util.sizeFromShape([...entry.shape]) * itemSize(dtype);
    const value = { dtype, shape: entry.shape, data_offsets: [start, end] };
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(value)}`);
    start = end;
  }
  const text = new TextEncoder().encode(`{${fields.join(",")}}`);
  const length = Math.ceil(text.length / 8) * 8; // data starts at a multiple of 8 bytes
  if (length > longestHeader) {
    throw new CheckpointError(
      `header: expected at most ${longestHeader} bytes, got ${length}: too many tensors, or too much metadata`,
    );
  }
  const bytes = new Uint8Array(8 + length).fill(0x20, 8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(text, 8);
  return bytes;
}

function encodeMetadata(metadata: Metadata): string {
  const fields = Object.entries(metadata)
    .sort(([a], [b]) => byCodePoint(a, b))
    .map(([key, value]) => {
      if (typeof value !== "string") {
        throw new CheckpointError(`metadata ${quote(key)}: expected a string, got ${typeof value}`);
      }
      assertUnicode("metadata", key);
      assertUnicode(`metadata ${quote(key)}`, value);
      return `${JSON.stringify(key)}:${JSON.stringify(value)}`;
    });
  return `{${fields.join(",")}}`;
}

/** Throws unless the elements are those of the shape, in the array that goes with the dtype. */
export function assertElements(name: string, { dtype, shape, data }: TensorData): void {
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new CheckpointError(
      `${name}: expected a shape of non-negative integers, got [${shape.join(", ")}]`,
    );
  }
  const ArrayOf = arrayOf(dtype);
  if (!(data instanceof ArrayOf)) {
    const got = Object.prototype.toString.call(data).slice(8, -1);
    throw new CheckpointError(`${name}: expected ${ArrayOf.name} for ${dtype}, got ${got}`);
  }
  const size = shape.reduce((a, b) => a * b, 1);
  if (data.length !== size) {
    throw new CheckpointError(
      `${name}: expected ${size} elements for [${shape.join(", ")}], got ${data.length}`,
    );
  }
}

/** Half a surrogate pair has no UTF-8, and other readers refuse its escape. */
function assertUnicode(what: string, text: string): void {
  if (/\p{Surrogate}/u.test(text)) {
    throw new CheckpointError(`${what}: expected Unicode text, got half a pair in ${quote(text)}`);
  }
}

/** The order of UTF-8 bytes, which that of UTF-16 units is not. */
function byCodePoint(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) {
    const difference =
      ((left[i] as string).codePointAt(0) as number) -
      ((right[i] as string).codePointAt(0) as number);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
