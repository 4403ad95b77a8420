import * as tf from "@tensorflow/tfjs-core";
import { nodeBackend } from "./node-backend.ts";
import { replaceKernel } from "./replace-kernel.ts";

/** Below every number that a picture may hold: no window takes its largest value from the padding. */
const lowest = -3.4028235e38;

/** Mends what tfjs-node refuses or lacks: padding by a number of pixels, and `image.transform`. */
export function repairStockKernels(): void {
  // With the name of the input that is padded, or of the attribute that has the pictures' shape.
  for (const kernel of ["Conv2D", "FusedConv2D", "DepthwiseConv2dNative", "FusedDepthwiseConv2D"]) {
    padByHand(kernel, "x", 0);
  }
  padByHand("DepthwiseConv2dNativeBackpropFilter", "x", 0);
  padByHand("Conv2DBackpropFilter", "x", 0);
  padByHand("MaxPool", "x", lowest);
  cropByHand("DepthwiseConv2dNativeBackpropInput", ({ attrs }) => attrs?.inputShape as Shape4D);
  cropByHand("Conv2DBackpropInput", ({ attrs }) => attrs?.inputShape as Shape4D);
  cropByHand("MaxPoolGrad", ({ inputs }) => inputs.input?.shape as Shape4D);
  if (tf.getKernel("Transform", "tensorflow") === undefined) {
    tf.registerKernel({
      kernelName: "Transform",
      backendName: "tensorflow",
      kernelFunc: transform,
    });
  }
}

type Shape4D = [number, number, number, number];
type Call = Parameters<tf.KernelFunc>[0];
type Margins = [[number, number], [number, number], [number, number], [number, number]];

/** What is put around pictures, in their four axes; nothing for a padding that has a name. */
function margins(attributes: unknown): Margins | undefined {
  const { pad, dimRoundingMode, dataFormat } = attributes as {
    readonly pad: string | number | Margins;
    readonly dimRoundingMode?: string;
    readonly dataFormat?: string;
  };
  // Pictures that are padded already have as many windows as fit.
  const isRoundedUp = dimRoundingMode === "ceil" || dimRoundingMode === "round";
  if (typeof pad === "string" || isRoundedUp) return undefined;
  if (typeof pad !== "number") return pad;
  const around: [number, number] = [pad, pad];
  const none: [number, number] = [0, 0];
  return dataFormat === "NCHW" ? [none, none, around, around] : [none, around, around, none];
}

/** TensorFlow takes pictures that are padded already. */
function padByHand(kernelName: string, input: string, value: number): void {
  replaceKernel(kernelName, (stock) => (call) => {
    const around = margins(call.attrs);
    if (around === undefined) return stock(call);
    const x = tf.pad(call.inputs[input] as tf.Tensor4D, around, value);
    const out = stock({
      ...call,
      inputs: { ...call.inputs, [input]: x },
      attrs: { ...call.attrs, pad: "valid" },
    });
    x.dispose();
    return out;
  });
}

/** The gradient of padded pictures, of which the padding's is cut off. */
function cropByHand(kernelName: string, shapeOf: (call: Call) => Shape4D): void {
  replaceKernel(kernelName, (stock) => (call) => {
    const around = margins(call.attrs);
    if (around === undefined) return stock(call);
    const shape = shapeOf(call);
    const inputShape = shape.map((size, axis) => {
      const [before, behind] = around[axis] as [number, number];
      return before + size + behind;
    });
    return tf.tidy(() => {
      const { input } = call.inputs; // a pool's
      const padded = input && { input: tf.pad(input as tf.Tensor4D, around, lowest) };
      const whole = stock({
        ...call,
        inputs: { ...call.inputs, ...padded },
        attrs: { ...call.attrs, pad: "valid", inputShape },
      }) as tf.Tensor4D;
      return tf.slice(whole, around.map(([before]) => before) as Shape4D, shape);
    });
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
