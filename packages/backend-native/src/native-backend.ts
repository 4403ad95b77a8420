import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { addon } from "./addon.ts";
import { createArrayPool } from "./array-pool.ts";
import type { Activations } from "./kernels.ts";

/** What the backend knows of a tensor's values. */
interface TensorData {
  readonly values?: tf.backend_util.BackendValues;
  readonly dtype: tf.DataType;
  readonly complexTensorInfos?: { readonly real: tf.TensorInfo; readonly imag: tf.TensorInfo };
  refCount: number;
  /** Whether the values lie in an array of the pool. */
  pooled?: boolean;
  /** Whether anybody but the native kernels has seen the array: it may then be kept elsewhere. */
  seen?: boolean;
}

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };

/** Marks what others look at: a stock kernel may hand out a part of an array as another tensor. */
class WatchedStorage extends tf.DataStorage<TensorData> {
  override get(dataId: tf.DataId): TensorData {
    const data = super.get(dataId);
    data.seen = true;
    return data;
  }

  /** The data, by one who keeps no array beyond the call. */
  peek(dataId: tf.DataId): TensorData {
    return super.get(dataId);
  }
}

/**
 * tfjs's JavaScript backend with all of its kernels, on arrays that come from a pool: native
 * kernels get them without a copy, and take the place of the stock ones where time is spent.
 */
export class NativeBackend extends MathBackendCPU {
  /** What products multiply, and how blocks keep their activations. */
  precision: "fp32" | "bf16" = "fp32";
  readonly #pool = createArrayPool((fresh) => addon().preferLargePages(fresh));
  readonly #storage: WatchedStorage;

  constructor() {
    super();
    this.#storage = new WatchedStorage(this, tf.engine());
    this.data = this.#storage as unknown as MathBackendCPU["data"];
    // Stock code greets with an advertisement at its first use.
    Object.assign(this, { firstUse: false });
  }

  /** A float32 tensor whose values are still to be written, all of them. */
  output(shape: readonly number[]): tf.TensorInfo {
    const values = this.#pool.take(tf.util.sizeFromShape([...shape]));
    const info = this.makeTensorInfo([...shape], "float32", values);
    this.#storage.peek(info.dataId).pooled = true;
    return info;
  }

  /** The values of a tensor, for the time of one kernel: an array of its dtype. */
  values<T extends tf.TypedArray = Float32Array>(tensor: tf.TensorInfo): T {
    const values = this.#storage.peek(tensor.dataId).values as tf.TypedArray;
    const array = arrays[tensor.dtype as keyof typeof arrays];
    // Stock kernels differ: a cast of int32 to float32 is the same array by another name.
    return (array === undefined || values instanceof array ? values : new array(values)) as T;
  }

  /** Activations that are still to be written, in the backend's precision. */
  activations(shape: readonly number[]): { tensor: tf.TensorInfo; values: Activations } {
    const length = tf.util.sizeFromShape([...shape]);
    const tensor = this.output(this.precision === "bf16" ? [Math.ceil(length / 2)] : shape);
    return { tensor, values: this.stored(tensor, length) };
  }

  /** Activations that a kernel of ours has kept; `length` tells how they were. */
  stored(tensor: tf.TensorInfo, length: number): Activations {
    const values = this.values(tensor);
    if (values.length === length) return values;
    return new Uint16Array(values.buffer, values.byteOffset, length);
  }

  /** The same tensor once more, on the same values. */
  same(tensor: tf.TensorInfo, shape: readonly number[] = tensor.shape): tf.TensorInfo {
    this.incRef(tensor.dataId);
    return { dataId: tensor.dataId, shape: [...shape], dtype: tensor.dtype };
  }

  /** Whether the values may be written over by one who consumes this tensor. */
  isUnshared(tensor: tf.TensorInfo): boolean {
    const { refCount, pooled, seen } = this.#storage.peek(tensor.dataId);
    return refCount === 1 && pooled === true && seen !== true;
  }

  /** Bytes of memory that wait to be used again. */
  freeBytes(): number {
    return this.#pool.freeBytes();
  }

  override refCount(dataId: tf.DataId): number {
    return this.#storage.has(dataId) ? this.#storage.peek(dataId).refCount : 0;
  }

  override incRef(dataId: tf.DataId): void {
    this.#storage.peek(dataId).refCount++;
  }

  override decRef(dataId: tf.DataId): void {
    if (this.#storage.has(dataId)) this.#storage.peek(dataId).refCount--;
  }

  override disposeData(dataId: tf.DataId, force = false): boolean {
    if (!this.#storage.has(dataId)) return true;
    const data = this.#storage.peek(dataId);
    data.refCount--;
    if (!force && data.refCount > 0) return false;
    if (data.complexTensorInfos !== undefined) {
      this.disposeData(data.complexTensorInfos.real.dataId, true);
      this.disposeData(data.complexTensorInfos.imag.dataId, true);
    }
    if (data.pooled) {
      const array = data.values as Float32Array;
      if (data.seen) this.#pool.forget(array);
      else this.#pool.giveBack(array);
    }
    this.#storage.delete(dataId);
    return true;
  }

  override dispose(): void {
    this.#pool.clear();
  }
}
