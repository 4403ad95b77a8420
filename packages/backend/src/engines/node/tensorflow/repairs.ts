import * as tf from "@tensorflow/tfjs-core";
import { nodeBackend } from "./node-backend.ts";
import { replaceKernel } from "./replace-kernel.ts";

/** Mends what tfjs-node refuses or lacks: padding by a number of pixels, and `image.transform`. */
export function repairStockKernels(): void {
  // The pixels of a convolution by their names as inputs, where a kernel has them.
  padByHand("DepthwiseConv2dNative");
  padByHand("DepthwiseConv2dNativeBackpropFilter");
  padByHand("Conv2DBackpropFilter");
  cropByHand("DepthwiseConv2dNativeBackpropInput");
  cropByHand("Conv2DBackpropInput");
  if (tf.getKernel("Transform", "tensorflow") === undefined) {
    tf.registerKernel({
      kernelName: "Transform",
      backendName: "tensorflow",
      kernelFunc: transform,
    });
  }
}

type Margins = [[number, number], [number, number], [number, number], [number, number]];

/** What is put around pictures, in their four axes; nothing for a padding that has a name. */
function margins(attributes: unknown): Margins | undefined {
  const { pad } = attributes as { readonly pad: string | number | Margins };
  if (typeof pad === "string") return undefined;
  return typeof pad === "number"
    ? [
        [0, 0],
        [pad, pad],
        [pad, pad],
        [0, 0],
      ]
    : pad;
}

/** TensorFlow takes pictures that are padded already. */
function padByHand(kernelName: string): void {
  replaceKernel(kernelName, (stock) => (call) => {
    const around = margins(call.attrs);
    if (around === undefined) return stock(call);
    const x = tf.pad(call.inputs.x as tf.Tensor4D, around);
    const out = stock({
      ...call,
      inputs: { ...call.inputs, x },
      attrs: { ...call.attrs, pad: "valid" },
    });
    x.dispose();
    return out;
  });
}

/** The gradient of padded pictures, of which the padding's is cut off. */
function cropByHand(kernelName: string): void {
  replaceKernel(kernelName, (stock) => (call) => {
    const around = margins(call.attrs);
    if (around === undefined) return stock(call);
    const { inputShape } = call.attrs as unknown as { readonly inputShape: readonly number[] };
    const padded = inputShape.map((size, axis) => {
      const [before, behind] = around[axis] as [number, number];
      return before + size + behind;
    });
    const attrs = { ...call.attrs, pad: "valid", inputShape: padded };
    const whole = stock({ ...call, attrs } as typeof call) as tf.Tensor4D;
    const begin = around.map(([before]) => before) as [number, number, number, number];
    const out = tf.slice(whole, begin, inputShape as [number, number, number, number]);
    tf.dispose(whole);
    return out;
  });
}

const transform: tf.KernelFunc = ({ inputs, attrs }) => {
  const { image, transforms } = inputs as {
    readonly image: tf.Tensor4D;
    readonly transforms: tf.Tensor2D;
  };
  const { interpolation, fillMode, fillValue, outputShape } = attrs as unknown as {
    readonly interpolation: string;
    readonly fillMode: string;
    readonly fillValue: number;
    readonly outputShape?: readonly [number, number];
  };
  const { TF_ATTR_STRING, TF_ATTR_TYPE, TF_FLOAT } = nodeBackend().binding;
  const [, rows, columns] = image.shape;
  const size = tf.tensor1d([...(outputShape ?? [rows, columns])], "int32");
  const fill = tf.scalar(fillValue);
  const attributes = [
    { name: "dtype", type: TF_ATTR_TYPE, value: TF_FLOAT },
    { name: "interpolation", type: TF_ATTR_STRING, value: interpolation.toUpperCase() },
    { name: "fill_mode", type: TF_ATTR_STRING, value: fillMode.toUpperCase() },
  ];
  const given = [image, transforms, size, fill];
  const out = nodeBackend().executeSingleOutput("ImageProjectiveTransformV3", attributes, given);
  tf.dispose([size, fill]);
  return out;
};
