import * as tf from "@tensorflow/tfjs-core";
import { cumsumFromTheEnd } from "./cumsum.ts";
import { replaceKernel } from "./replace-kernel.ts";

/** How many tensors a shader may read beside the one it writes: what every device allows. */
const mostInputs = 7;

/** What stock tfjs-webgpu gets wrong, under the name of its backend. */
export function repairWebgpu(backendName: string): void {
  cumsumFromTheEnd(backendName);

  // It takes one transform for every picture to be as many as there are pictures.
  replaceKernel("Transform", backendName, (stock) => (call) => {
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

  // It binds all tensors at once, which the device refuses from the eighth on.
  replaceKernel("AddN", backendName, (stock) => (call) => {
    const add = (tensors: readonly tf.TensorInfo[]): tf.TensorInfo => {
      if (tensors.length <= mostInputs) {
        const inputs = tensors as unknown as tf.NamedTensorInfoMap;
        return stock({ ...call, inputs }) as tf.TensorInfo;
      }
      const sums: tf.TensorInfo[] = [];
      for (let i = 0; i < tensors.length; i += mostInputs) {
        sums.push(add(tensors.slice(i, i + mostInputs)));
      }
      const sum = add(sums);
      const backend = call.backend as { disposeData(dataId: tf.DataId): void };
      for (const { dataId } of sums) backend.disposeData(dataId);
      return sum;
    };
    return add(call.inputs as unknown as readonly tf.TensorInfo[]);
  });
}
