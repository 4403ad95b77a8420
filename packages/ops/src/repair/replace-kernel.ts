import * as tf from "@tensorflow/tfjs-core";

/** Registers `better(stock)` in place of a backend's own kernel; the set-up of the old one stays. */
export function replaceKernel(
  kernelName: string,
  backendName: string,
  better: (stock: tf.KernelFunc) => tf.KernelFunc,
): void {
  const stock = tf.getKernel(kernelName, backendName);
  if (stock === undefined) return;
  tf.unregisterKernel(kernelName, backendName);
  tf.registerKernel({ ...stock, kernelFunc: better(stock.kernelFunc) });
}

/** Registers a kernel that a backend lacks; one that it has stays. */
export function addKernel(
  kernelName: string,
  backendName: string,
  kernelFunc: tf.KernelFunc,
): void {
  if (tf.getKernel(kernelName, backendName) !== undefined) return;
  tf.registerKernel({ kernelName, backendName, kernelFunc });
}
