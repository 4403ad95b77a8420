import { layerNorm, linear } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";

/** Result and gradients of a layer that our kernels compute, on the active backend. */
export async function geluLayer(): Promise<number[][]> {
  const values = (count: number, seed: number) =>
    Float32Array.from({ length: count }, (_, i) => Math.sin(seed + 1.7 * i));
  const [x, weight, bias] = [
    tf.tensor2d(values(5 * 19, 1), [5, 19]),
    tf.tensor2d(values(13 * 19, 2), [13, 19]),
    tf.tensor1d(values(13, 3)),
  ];
  const gain = tf.tensor1d(values(13, 4));
  const layer = (x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor) => {
    const gelu = { activation: "gelu" } as const;
    const y = linear(x, weight as tf.Tensor2D, bias as tf.Tensor1D, gelu);
    return layerNorm(y, gain, bias as tf.Tensor1D);
  };
  const result = tf.tidy(() => layer(x, weight, bias));
  const tensors = [result, ...tf.grads(layer)([x, weight, bias])];
  const results = await Promise.all(tensors.map(async (tensor) => [...(await tensor.data())]));
  tf.dispose([x, weight, bias, gain, tensors]);
  return results;
}
