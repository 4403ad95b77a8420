import * as tf from "@tensorflow/tfjs-core";

/** What our kernels for the wasm backend use of it: its heap, seen from JavaScript. */
export interface WasmHeap {
  makeOutput(shape: readonly number[], dtype: tf.DataType): tf.TensorInfo;
  typedArrayFromHeap(tensor: tf.TensorInfo): Float32Array | Int32Array | Uint8Array;
}

/** Views of tensors on the heap. Taken after the last allocation: growing moves the heap. */
export function heapViews(backend: WasmHeap, tensors: readonly tf.TensorInfo[]): Float32Array[] {
  return tensors.map((tensor) => backend.typedArrayFromHeap(tensor) as Float32Array);
}

/** The same values in memory of their own. */
export function copyOnHeap(x: tf.TensorInfo, backend: WasmHeap): tf.Tensor {
  const copy = backend.makeOutput(x.shape, x.dtype);
  backend.typedArrayFromHeap(copy).set(backend.typedArrayFromHeap(x));
  return tf.engine().makeTensorFromTensorInfo(copy);
}
