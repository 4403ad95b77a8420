import { type BlobLike, type ByteSource, byteSource, readExactly } from "./byte-source.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { CheckpointError, quote } from "./checkpoint-error.ts";
import { itemSize, type TensorData } from "./dtype.ts";
import { elements, ownBuffer } from "./elements.ts";
import { longestHeader, type Placement, parseHeader } from "./safetensors-header.ts";
import { assertRows, tensorNamed } from "./tensor-named.ts";

/**
 * Opens a safetensors file that lies in memory, in a `Blob` or `File`, or in any byte source. The
 * header is read and checked at once, a tensor's bytes when it is asked for.
 */
export async function openSafetensors(
  from: ByteSource | BlobLike | Uint8Array,
): Promise<Checkpoint> {
  const source = byteSource(from);
  const name = source.name ?? "checkpoint";
  const length = await headerLength(name, source);
  const dataStart = 8 + length;
  const header = await readExactly(source, 8, length);
  const { tensors, metadata } = parseHeader(name, header, source.size - dataStart);

  const read = async (
    { dtype }: Placement,
    shape: readonly number[],
    offset: number,
  ): Promise<TensorData> => {
    const bytes = shape.reduce((a, b) => a * b, itemSize(dtype));
    const raw = await readExactly(source, dataStart + offset, bytes);
    return { dtype, shape, data: elements(dtype, ownBuffer(raw)) };
  };

  return {
    format: "safetensors",
    name,
    tensors,
    metadata,
    data: Object.create(null),
    read: async (tensor) => {
      const placement = tensorNamed(name, tensors, tensor);
      return read(placement, placement.shape, placement.start);
    },
    readRows: async (tensor, first, count) => {
      const placement = tensorNamed(name, tensors, tensor);
      assertRows(`${name}: ${quote(tensor)}`, placement.shape, first, count);
      const [, ...row] = placement.shape;
      const rowBytes = row.reduce((a, b) => a * b, itemSize(placement.dtype));
      return read(placement, [count, ...row], placement.start + first * rowBytes);
    },
  };
}

/** The length of the header, which no wrong file may make us allocate. */
async function headerLength(name: string, source: ByteSource): Promise<number> {
  if (source.size < 8) {
    throw new CheckpointError(
      `${name}: expected a safetensors file of 8 bytes and more, got ${source.size}`,
    );
  }
  const bytes = await readExactly(source, 0, 8);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const limit = Math.min(longestHeader, source.size - 8);
  if (length <= limit) return length;
  throw new CheckpointError(
    `${name}: expected a safetensors header of at most ${limit} bytes, got ${length}${hint(bytes)}`,
  );
}

/** What a file is that is no safetensors, where its first bytes tell. */
function hint(bytes: Uint8Array): string {
  const zip = bytes[0] === 0x50 && bytes[1] === 0x4b;
  const pickle = bytes[0] === 0x80 && (bytes[1] as number) <= 5;
  return zip || pickle ? " (the file looks like one of torch.save: openCheckpoint reads both)" : "";
}
