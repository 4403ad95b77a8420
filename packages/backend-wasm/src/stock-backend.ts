import type * as tf from "@tensorflow/tfjs-core";
import type { Memory } from "./load-kernels.ts";

/** What we use of tfjs's wasm backend. */
export interface StockBackend extends tf.KernelBackend {
  readonly wasm: {
    readonly asm: { readonly memory: Memory };
    /** The memory of the build with threads, which has it from outside. */
    readonly wasmMemory?: Memory;
    readonly tfjs: {
      registerTensor(id: number, size: number, address: number): void;
      disposeData(id: number): void;
    };
    _malloc(bytes: number): number;
    _free(address: number): void;
  };
  readonly dataIdMap: {
    get(dataId: tf.DataId): { readonly id: number; readonly memoryOffset: number };
  };
  makeOutput(shape: readonly number[], dtype: tf.DataType): tf.TensorInfo;
  typedArrayFromHeap(tensor: tf.TensorInfo): Float32Array | Int32Array | Uint8Array;
}
