import * as tf from "@tensorflow/tfjs-core";
import { cumsumFromTheEnd } from "./cumsum.ts";
import { replaceKernel } from "./replace-kernel.ts";

/** What stock tfjs-cpu gets wrong. */
export function repairCpu(): void {
  cumsumFromTheEnd("cpu");

  // It returns after the first picture.
  replaceKernel("Transform", "cpu", (stock) => (call) => {
    const { image, transforms } = call.inputs as {
      readonly image: tf.Tensor4D;
      readonly transforms: tf.Tensor2D;
    };
    const [pictures] = image.shape;
    if (pictures <= 1) return stock(call);
    return tf.tidy(() =>
      tf.concat(
        Array.from({ length: pictures }, (_, i) => {
          const inputs = {
            image: tf.slice(image, i, 1),
            transforms: tf.slice(transforms, transforms.shape[0] === 1 ? 0 : i, 1),
          };
          return tf.engine().makeTensorFromTensorInfo(stock({ ...call, inputs }) as tf.TensorInfo);
        }),
      ),
    );
  });

  // The values are right; the shape has rows and columns swapped.
  replaceKernel("ResizeBilinearGrad", "cpu", (stock) => (call) => {
    const { images } = call.inputs as { readonly images: tf.TensorInfo };
    return { ...(stock(call) as tf.TensorInfo), shape: images.shape };
  });
}
