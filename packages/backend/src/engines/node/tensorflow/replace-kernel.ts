import * as tf from "@tensorflow/tfjs-core";

/** Registers `better(stock)` in place of one of tfjs-node's own kernels. */
export function replaceKernel(
  kernelName: string,
  better: (stock: tf.KernelFunc) => tf.KernelFunc,
): void {
  const stock = tf.getKernel(kernelName, "tensorflow");
  if (stock === undefined) return;
  tf.unregisterKernel(kernelName, "tensorflow");
  tf.registerKernel({ ...stock, kernelFunc: better(stock.kernelFunc) });
}
