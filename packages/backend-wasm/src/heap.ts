import * as tf from "@tensorflow/tfjs-core";
import type { Address, Kernels } from "./kernels.ts";
import type { StockBackend } from "./stock-backend.ts";

/** A matrix of float32 in the heap, or a part of one, or one transposed. */
export interface Matrix {
  readonly at: Address;
  /** Bytes from one row to the next. */
  readonly row: number;
  /** Bytes from one column to the next. */
  readonly column: number;
}

/** A matrix whose rows of so many values follow one another. */
export function matrix(at: Address, columns: number): Matrix {
  return { at, row: 4 * columns, column: 4 };
}

/** The same values with rows and columns exchanged. */
export function transposed({ at, row, column }: Matrix): Matrix {
  return { at, row: column, column: row };
}

export interface ProductSize {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
}

export interface ProductOptions {
  /** What is added to every row, `[columns]`. */
  readonly bias?: Address;
  /** Whether the product is added to what lies there. */
  readonly accumulate?: boolean;
}

/** The heap of tfjs's wasm backend, with tensors by address, and our kernels on it. */
export class Heap {
  readonly kernels: Kernels;
  readonly #backend: StockBackend;
  readonly #threads: number;
  #scratch = 0;
  #scratchBytes = 0;

  constructor(backend: StockBackend, kernels: Kernels, threads = 1) {
    this.#backend = backend;
    this.kernels = kernels;
    this.#threads = threads;
  }

  /** A float32 tensor whose values are still to be written, all of them. */
  output(shape: readonly number[], dtype: tf.DataType = "float32"): tf.TensorInfo {
    return this.#backend.makeOutput([...shape], dtype);
  }

  /** Where a tensor's values lie. */
  at({ dataId }: tf.TensorInfo): Address {
    return this.#backend.dataIdMap.get(dataId).memoryOffset;
  }

  /** A view of a tensor's values, good until the next allocation. */
  values(tensor: tf.TensorInfo): Float32Array {
    return this.#backend.typedArrayFromHeap(tensor) as Float32Array;
  }

  /** Lets go of tensors that were only needed in between. */
  free(...tensors: readonly tf.TensorInfo[]): void {
    for (const { dataId } of tensors) this.#backend.disposeData(dataId);
  }

  /** The same tensor once more, on the same values. */
  same(tensor: tf.TensorInfo, shape: readonly number[] = tensor.shape): tf.TensorInfo {
    this.#backend.incRef(tensor.dataId);
    return { dataId: tensor.dataId, shape: [...shape], dtype: tensor.dtype };
  }

  /** The tensor itself, to be written over by one who consumes it, if nobody else has its values; else a copy. */
  inPlace(tensor: tf.TensorInfo): tf.TensorInfo {
    if (this.#backend.refCount(tensor.dataId) === 1) {
      this.#forgetPacked(tensor);
      return this.same(tensor);
    }
    const copy = this.output(tensor.shape);
    const bytes = 4 * sizeOf(tensor);
    this.kernels.copyRuns(this.at(tensor), 0, this.at(copy), 0, 1, bytes);
    return copy;
  }

  /** Memory to work in for the time of one kernel, so many bytes for every thread. */
  scratch(bytesOfOne: number): Address {
    const bytes = aligned(bytesOfOne) * threadsFor(bytesOfOne, this.#threads);
    if (bytes > this.#scratchBytes) {
      if (this.#scratch !== 0) this.#backend.wasm._free(this.#scratch);
      [this.#scratch, this.#scratchBytes] = [0, 0];
      // Its start on a vector's boundary.
      const address = this.#backend.wasm._malloc(bytes);
      if (address === 0) throw new Error(`wasm heap: expected room for ${bytes} bytes, got none`);
      [this.#scratch, this.#scratchBytes] = [address, bytes];
    }
    return this.#scratch;
  }

  /** Gives back what kernels worked in. */
  close(): void {
    if (this.#scratch !== 0) this.#backend.wasm._free(this.#scratch);
    [this.#scratch, this.#scratchBytes] = [0, 0];
  }

  /** `c = a b`, with or onto something. */
  product(
    a: Matrix,
    b: Matrix,
    c: Matrix,
    { rows, columns, inner }: ProductSize,
    { bias = 0, accumulate = false }: ProductOptions = {},
  ): void {
    const scratch = this.scratch(this.kernels.productScratch.value);
    this.kernels.product(
      ...[a.at, a.row, a.column, b.at, b.row, b.column, c.at, c.row, rows, columns, inner],
      bias,
      accumulate ? 1 : 0,
      scratch,
    );
  }

  /** Makes stock kernels forget what they keep of a weight by its id: a packed copy for XNNPACK. */
  #forgetPacked(tensor: tf.TensorInfo): void {
    const { id, memoryOffset } = this.#backend.dataIdMap.get(tensor.dataId);
    const { tfjs } = this.#backend.wasm;
    tfjs.disposeData(id);
    tfjs.registerTensor(id, sizeOf(tensor), memoryOffset);
  }
}

/** Bytes that threads may work in together, unless one needs more. */
const scratchBytes = 2 ** 28;

/** How many of so many threads there is room for where each needs so many bytes. */
export function threadsFor(bytes: number, threads: number): number {
  return Math.max(1, Math.min(threads, Math.floor(scratchBytes / aligned(bytes))));
}

/** So many bytes that what follows them lies on a vector's boundary too. */
export function aligned(bytes: number): number {
  return Math.ceil(bytes / 16) * 16;
}

/** How many values a tensor has. */
export function sizeOf({ shape }: tf.TensorInfo): number {
  return tf.util.sizeFromShape([...shape]);
}
