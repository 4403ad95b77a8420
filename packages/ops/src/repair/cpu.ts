import * as tf from "@tensorflow/tfjs-core";
import { convolutionGradients, type Memory } from "./convolution-gradients.ts";
import { cumsumFromTheEnd } from "./cumsum.ts";
import { replaceKernel } from "./replace-kernel.ts";

/** What of tfjs-cpu's backend our kernels use. */
interface CpuBackend {
  makeTensorInfo(shape: number[], dtype: tf.DataType, values: Float32Array): tf.TensorInfo;
  readonly data: { get(dataId: tf.DataId): { readonly values: Float32Array } };
}

function arrays(backend: unknown): Memory {
  const cpu = backend as CpuBackend;
  return {
    makeOutput: (shape, dtype) => {
      const values = new Float32Array(tf.util.sizeFromShape([...shape]));
      return cpu.makeTensorInfo([...shape], dtype, values);
    },
    views: (tensors) => tensors.map(({ dataId }) => cpu.data.get(dataId).values),
  };
}

/** What stock tfjs-cpu gets wrong, or does a hundred times too slowly. */
export function repairCpu(): void {
  cumsumFromTheEnd("cpu");
  convolutionGradients("cpu", arrays);

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
