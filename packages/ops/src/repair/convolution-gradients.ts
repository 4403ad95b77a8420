import * as tf from "@tensorflow/tfjs-core";
import { addKernel, replaceKernel } from "./replace-kernel.ts";
import { addWindows, type Convolution, gatherWindows } from "./windows.ts";

/** Values that the windows of a few pictures may take at a time, for the memory's sake. */
const windowValues = 4_000_000;

/** What the gradients need of a backend. */
export interface Memory {
  makeOutput(shape: readonly number[], dtype: tf.DataType): tf.TensorInfo;
  /** The arrays of tensors, taken after the last allocation. */
  views(tensors: readonly tf.TensorInfo[]): Float32Array[];
}

type Shape4D = [number, number, number, number];

interface Attributes {
  readonly strides: [number, number];
  readonly pad: "valid" | "same" | number | [number, number][];
  readonly dataFormat: "NHWC" | "NCHW";
  readonly dimRoundingMode: "floor" | "round" | "ceil";
  readonly filterShape: Shape4D;
  readonly inputShape: Shape4D;
}

/**
 * The gradients of a convolution as products of matrices: with respect to the kernel, which
 * tfjs-wasm lacks, and to the pictures. The stock ones are scalar loops, on cpu a hundred times
 * slower than the forward pass.
 */
export function convolutionGradients(
  backendName: string,
  memoryOf: (backend: unknown) => Memory,
): void {
  const filterGradient: tf.KernelFunc = ({ inputs, attrs, backend }) => {
    const { x, dy } = inputs as unknown as { readonly x: tf.Tensor4D; readonly dy: tf.Tensor4D };
    const { filterShape, ...attributes } = attrs as unknown as Attributes;
    const convolution = describe(x.shape, filterShape, attributes);
    const memory = memoryOf(backend);
    return tf.tidy(() => {
      let total: tf.Tensor2D | undefined;
      for (const { first, pictures, shape } of chunks(convolution)) {
        const windows = memory.makeOutput(shape, "float32");
        const [from, to] = memory.views([x, windows]) as [Float32Array, Float32Array];
        gatherWindows(from, to, convolution, first, pictures);
        const columns = tf.engine().makeTensorFromTensorInfo(windows) as tf.Tensor2D;
        const slopes = tf.reshape(tf.slice(dy, first, pictures), [shape[0], -1]) as tf.Tensor2D;
        const part = tf.matMul<tf.Tensor2D>(columns, slopes, true, false);
        columns.dispose();
        total = total ? tf.add<tf.Tensor2D>(total, part) : part;
      }
      return tf.reshape(total as tf.Tensor2D, filterShape);
    });
  };

  const inputGradient: tf.KernelFunc = ({ inputs, attrs, backend }) => {
    const { dy, filter } = inputs as unknown as {
      readonly dy: tf.Tensor4D;
      readonly filter: tf.Tensor4D;
    };
    const { inputShape, ...attributes } = attrs as unknown as Attributes;
    const convolution = describe(inputShape, filter.shape, attributes);
    const memory = memoryOf(backend);
    const out = memory.makeOutput(inputShape, "float32");
    (memory.views([out])[0] as Float32Array).fill(0);
    const kernel = tf.reshape(filter, [-1, filter.shape[3]]) as tf.Tensor2D;
    for (const { first, pictures, shape } of chunks(convolution)) {
      const windows = tf.tidy(() => {
        const slopes = tf.reshape(tf.slice(dy, first, pictures), [shape[0], -1]) as tf.Tensor2D;
        return tf.matMul(slopes, kernel, false, true);
      });
      const [from, to] = memory.views([windows, out]) as [Float32Array, Float32Array];
      addWindows(from, to, convolution, first, pictures);
      windows.dispose();
    }
    kernel.dispose();
    return out;
  };

  provideKernel("Conv2DBackpropFilter", backendName, filterGradient, ({ inputs, attrs }) => {
    const { x, dy } = inputs as { readonly x: tf.Tensor4D; readonly dy: tf.Tensor4D };
    return fits(dy, x.shape, (attrs as unknown as Attributes).filterShape, attrs);
  });
  provideKernel("Conv2DBackpropInput", backendName, inputGradient, ({ inputs, attrs }) => {
    const { dy, filter } = inputs as { readonly dy: tf.Tensor4D; readonly filter: tf.Tensor4D };
    return fits(dy, (attrs as unknown as Attributes).inputShape, filter.shape, attrs);
  });
}

/** Registers a kernel, which leaves to the stock one, where there is one, what is not its own. */
function provideKernel(
  kernelName: string,
  backendName: string,
  ours: tf.KernelFunc,
  isOurs: (call: Parameters<tf.KernelFunc>[0]) => boolean,
): void {
  addKernel(kernelName, backendName, ours);
  replaceKernel(kernelName, backendName, (stock) => (call) => (isOurs(call) ? ours : stock)(call));
}

/** Whether channels come last, and `dy` is just as large as the convolution's output. */
function fits(
  dy: tf.Tensor4D,
  inputShape: Shape4D,
  filterShape: Shape4D,
  attrs: tf.NamedAttrMap | undefined,
): boolean {
  const attributes = attrs as unknown as Attributes;
  if (attributes.dataFormat === "NCHW") return false;
  return tf.util.arraysEqual(dy.shape, describe(inputShape, filterShape, attributes).outShape);
}

function describe(
  inputShape: Shape4D,
  filterShape: Shape4D,
  { strides, pad, dataFormat, dimRoundingMode }: Omit<Attributes, "filterShape" | "inputShape">,
): Convolution {
  return tf.backend_util.computeConv2DInfo(
    inputShape,
    filterShape,
    strides,
    1,
    pad as never,
    dimRoundingMode,
    false,
    tf.backend_util.convertConv2DDataFormat(dataFormat),
  );
}

/** As many pictures at a time as their windows are allowed to take. */
function chunks({ batchSize, outHeight, outWidth, ...rest }: Convolution): {
  readonly first: number;
  readonly pictures: number;
  readonly shape: [rows: number, columns: number];
}[] {
  const columns = rest.filterHeight * rest.filterWidth * rest.inChannels;
  const rows = outHeight * outWidth;
  const most = Math.max(1, Math.floor(windowValues / (rows * columns)));
  return Array.from({ length: Math.ceil(batchSize / most) }, (_, i) => {
    const pictures = Math.min(most, batchSize - i * most);
    return { first: i * most, pictures, shape: [pictures * rows, columns] };
  });
}
