import { type BlobLike, type ByteSource, byteSource } from "../byte-source.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { quote } from "../checkpoint-error.ts";
import type { TensorData } from "../dtype.ts";
import { itemSize } from "../dtype.ts";
import { isNumpyArray } from "../pickle/numpy-globals.ts";
import { readView } from "../read-view.ts";
import { assertRows, tensorNamed } from "../tensor-named.ts";
import { nameTensors } from "./name-tensors.ts";
import { openTorchLegacy } from "./torch-legacy.ts";
import { isTorchStorage } from "./torch-storage.ts";
import { isTorchTensor, type TorchTensor, torchTensor } from "./torch-tensor.ts";
import { openTorchZip } from "./torch-zip.ts";

/**
 * Opens a file of PyTorch's `torch.save`, of either kind (a zip file since 1.6, pickles in a row
 * before), that lies in memory, in a `Blob` or `File`, or in any byte source.
 *
 * The pickle in it is read by a machine that can make data and nothing else (see `readPickle`); a
 * class or function that it does not know is an error that names it. A tensor's elements are read
 * when it is asked for. Its name is the keys and indices on the way to it, joined with dots;
 * everything else in the file is `data`.
 */
export async function openPytorch(from: ByteSource | BlobLike | Uint8Array): Promise<Checkpoint> {
  const source = byteSource(from);
  const name = source.name ?? "checkpoint";
  const zip = await startsAsZip(source);
  const { root, locate } = zip ? await openTorchZip(source) : await openTorchLegacy(source);
  const { tensors, data } = nameTensors(name, root, asTensor);

  return {
    format: "pytorch",
    name,
    tensors,
    metadata: Object.create(null),
    data,
    read: async (key) => {
      const tensor = tensorNamed(name, tensors, key);
      return isTorchTensor(tensor) ? readTensor(source, tensor, locate) : tensor;
    },
    readRows: async (key, first, count) => {
      const tensor = tensorNamed(name, tensors, key);
      assertRows(`${name}: ${quote(key)}`, tensor.shape, first, count);
      const [, ...row] = tensor.shape;
      const shape = [count, ...row];
      if (isTorchTensor(tensor)) {
        const offset = tensor.offset + first * (tensor.strides[0] as number);
        return readTensor(source, { ...tensor, shape, offset }, locate);
      }
      const size = row.reduce((a, b) => a * b, 1);
      return { ...tensor, shape, data: tensor.data.slice(first * size, (first + count) * size) };
    },
  };
}

/** Arrays of numpy's are tensors whose elements the pickle has; a storage is one of a single axis. */
function asTensor(value: unknown): TorchTensor | TensorData | undefined {
  if (isTorchTensor(value) || isNumpyArray(value)) return value;
  if (!isTorchStorage(value)) return undefined;
  const { dtype = "U8", length } = value;
  return torchTensor(dtype, value, 0, [length], [1]);
}

async function readTensor(
  source: ByteSource,
  { dtype, shape, strides, offset, storage }: TorchTensor,
  locate: (storage: string) => Promise<number>,
): Promise<TensorData> {
  const empty = shape.includes(0);
  const base = empty ? 0 : (await locate(storage.key)) + storage.start;
  const start = empty ? 0 : base + offset * itemSize(dtype);
  return { dtype, shape, data: await readView(source, { dtype, shape, strides, start }) };
}

async function startsAsZip(source: ByteSource): Promise<boolean> {
  if (source.size < 4) return false;
  const bytes = await source.read(0, 4);
  return bytes[0] === 0x50 && bytes[1] === 0x4b;
}
