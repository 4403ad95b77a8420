import * as tf from "@tensorflow/tfjs-core";
import { cumsumFromTheEnd } from "./cumsum.ts";
import { replaceKernel } from "./replace-kernel.ts";

/** What stock tfjs-webgpu gets wrong. */
export function repairWebgpu(): void {
  cumsumFromTheEnd("webgpu");

  // It takes one transform for every picture to be as many as there are pictures.
  replaceKernel("Transform", "webgpu", (stock) => (call) => {
    const { image, transforms } = call.inputs as {
      readonly image: tf.Tensor4D;
      readonly transforms: tf.Tensor2D;
    };
    if (transforms.shape[0] === image.shape[0]) return stock(call);
    const each = tf.tile(transforms, [image.shape[0], 1]);
    const out = stock({ ...call, inputs: { image, transforms: each } });
    each.dispose();
    return out;
  });
}
