import * as tf from "@tensorflow/tfjs-core";
import { CheckpointError, quote } from "../checkpoint-error.ts";
import { bytesOf, type Dtype, isDtype, itemSize } from "../dtype.ts";
import { assertElements, dtypeOf, elementsOf, type Writable } from "../encode-safetensors.ts";
import { storageDtypes } from "../pytorch/torch-storage.ts";
import { pickleWriter } from "./pickle-writer.ts";
import { storedZip, type ZipFile } from "./stored-zip.ts";

/**
 * What a file of `torch.save` may hold: tensors, plain data, and both within each other. A `Map`
 * becomes a `collections.OrderedDict`, as state dicts are, an object a `dict`; whole numbers
 * become `int`, others `float`, a `Uint8Array` bytes.
 */
export type Saveable =
  | Writable
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Saveable[]
  | ReadonlyMap<string, Saveable>
  | { readonly [key: string]: Saveable };

const classes = new Map(Object.entries(storageDtypes).map(([name, dtype]) => [dtype, name]));

/**
 * The bytes of a file that `torch.load(path, weights_only=True)` reads, and PyTorch from 1.6 on:
 * a zip file as `torch.save` writes it. Each tensor is read when its turn comes and stays the
 * caller's. The same data give the same bytes. `name` is what errors call it.
 */
export async function* streamPytorch(
  root: Saveable,
  name = "checkpoint",
): AsyncGenerator<Uint8Array, void, undefined> {
  const { pickle, tensors } = encode(root);
  const text = (path: string, bytes: Uint8Array): ZipFile => ({
    name: `archive/${path}`,
    size: bytes.length,
    bytes: () => bytes,
  });
  const ascii = (line: string) => new TextEncoder().encode(line);
  yield* storedZip(
    [
      text("data.pkl", pickle),
      text("byteorder", ascii("little")),
      ...tensors.map(({ path, entry }, i) => ({
        name: `archive/data/${i}`,
        size: numel(entry) * itemSize(dtypeOf(path, entry)),
        bytes: async () => bytesOf(await elementsOf(path, entry)),
      })),
      text("version", ascii("3\n")),
    ],
    name,
  );
}

interface NamedTensor {
  readonly path: string;
  readonly entry: Writable;
}

function encode(root: Saveable): {
  readonly pickle: Uint8Array;
  readonly tensors: readonly NamedTensor[];
} {
  const writer = pickleWriter();
  const tensors: NamedTensor[] = [];

  const value = (path: string, data: Saveable): void => {
    if (data === null) writer.none();
    else if (typeof data === "boolean") writer.boolean(data);
    else if (typeof data === "number") writer.number(data);
    else if (typeof data === "bigint") writer.bigint(data);
    else if (typeof data === "string") writer.string(data);
    else if (data instanceof Uint8Array) writer.bytes(data);
    else if (isTensor(data)) tensor(path, data);
    else if (data instanceof Map) writer.orderedDict(entries(path, [...data]));
    else if (Array.isArray(data)) {
      writer.list(data.map((item: Saveable, i) => () => value(`${path}.${i}`, item)));
    } else if (isPlain(data)) writer.dict(entries(path, Object.entries(data)));
    else {
      const got = Object.prototype.toString.call(data).slice(8, -1);
      throw new CheckpointError(`${path}: expected tensors, text, numbers or dicts, got ${got}`);
    }
  };
  const entries = (path: string, list: readonly (readonly [string, Saveable])[]) =>
    list.map(
      ([key, item]) => [key, () => value(path === "" ? key : `${path}.${key}`, item)] as const,
    );

  const tensor = (path: string, entry: Writable): void => {
    const dtype = dtypeOf(path, entry);
    if ("data" in entry && !(entry instanceof tf.Tensor)) assertElements(path, entry);
    const storage = storageClass(path, dtype);
    const { shape } = entry;
    const key = String(tensors.length);
    tensors.push({ path, entry });
    const numbers = (list: readonly number[]) =>
      writer.tuple(list.map((item) => () => writer.number(item)));
    writer.call(
      () => writer.global("torch._utils", "_rebuild_tensor_v2"),
      () =>
        writer.tuple([
          () =>
            writer.persistent(() =>
              writer.tuple([
                () => writer.string("storage"),
                () => writer.global("torch", storage),
                () => writer.string(key),
                () => writer.string("cpu"),
                () => writer.number(numel(entry)),
              ]),
            ),
          () => writer.number(0), // where it starts in its storage
          () => numbers(shape),
          () => numbers(rowMajor(shape)),
          () => writer.boolean(false), // whether it asks for gradients
          () => writer.orderedDict([]), // hooks for them
        ]),
    );
  };

  value("", root);
  return { pickle: writer.finish(), tensors };
}

function isTensor(data: object): data is Writable {
  if (data instanceof tf.Tensor) return true;
  const { dtype, shape, ...rest } = data as Partial<Record<string, unknown>>;
  return isDtype(dtype) && Array.isArray(shape) && ("data" in rest || "load" in rest);
}

function isPlain(data: object): data is Readonly<Record<string, Saveable>> {
  const prototype = Object.getPrototypeOf(data);
  return prototype === null || prototype === Object.prototype;
}

function storageClass(path: string, dtype: Dtype): string {
  const found = classes.get(dtype);
  if (found !== undefined) return found;
  throw new CheckpointError(
    `${quote(path)}: expected a dtype of ${[...classes.keys()].join(", ")}, got ${dtype}, which PyTorch has no storage for`,
  );
}

function numel({ shape }: Writable): number {
  return shape.reduce((a, b) => a * b, 1);
}

function rowMajor(shape: readonly number[]): readonly number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
}
