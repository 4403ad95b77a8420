import * as tf from "@tensorflow/tfjs-core";
import { geluSlope, normalCdf } from "../composite/gelu.ts";
import { differentiable } from "../operation.ts";

type X = { readonly x: tf.Tensor };

const operation = differentiable<X, X, Record<never, never>>({
  name: "Gelu",
  forward: ({ x }) => [tf.mul(x, normalCdf(x))],
  saved: ({ x }) => ({ x }),
  backward: ({ dy, x }) => [tf.mul(dy, geluSlope(x, normalCdf(x)))],
});

/** The exact GELU, not its tanh approximation: the published weights were trained with it. */
export function gelu<T extends tf.Tensor>(x: T): T {
  return operation({ x }, {}) as T;
}
