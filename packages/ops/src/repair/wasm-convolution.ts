import * as tf from "@tensorflow/tfjs-core";
import { heapViews, type WasmHeap } from "../wasm/heap.ts";
import { addKernel, replaceKernel } from "./replace-kernel.ts";
import { addWindows, type Convolution, gatherWindows } from "./windows.ts";

/** Values that the windows of a few pictures may take at a time, for the memory's sake. */
const windowValues = 4_000_000;

interface Attributes {
  readonly strides: [number, number];
  readonly pad: "valid" | "same" | number | [number, number][];
  readonly dataFormat: "NHWC" | "NCHW";
  readonly dimRoundingMode: "floor" | "round" | "ceil";
  readonly filterShape: [number, number, number, number];
  readonly inputShape: [number, number, number, number];
}

/**
 * The gradients of a convolution as products of matrices: with respect to the kernel, which
 * tfjs-wasm lacks, and to the pictures, for which it has a scalar loop.
 */
export function convolutionGradients(backendName: string): void {
  addKernel("Conv2DBackpropFilter", backendName, (call) => {
    const { x, dy } = call.inputs as unknown as {
      readonly x: tf.Tensor4D;
      readonly dy: tf.Tensor4D;
    };
    const { filterShape, ...attributes } = call.attrs as unknown as Attributes;
    const convolution = describe(x.shape, filterShape, attributes);
    const backend = call.backend as WasmHeap;
    return tf.tidy(() => {
      let total: tf.Tensor2D | undefined;
      for (const { first, pictures, shape } of chunks(convolution)) {
        const windows = backend.makeOutput(shape, "float32");
        const [from, to] = heapViews(backend, [x, windows]) as [Float32Array, Float32Array];
        gatherWindows(from, to, convolution, first, pictures);
        const columns = tf.engine().makeTensorFromTensorInfo(windows) as tf.Tensor2D;
        const slopes = tf.reshape(tf.slice(dy, first, pictures), [shape[0], -1]) as tf.Tensor2D;
        const part = tf.matMul<tf.Tensor2D>(columns, slopes, true, false);
        columns.dispose();
        total = total ? tf.add<tf.Tensor2D>(total, part) : part;
      }
      return tf.reshape(total as tf.Tensor2D, filterShape);
    });
  });

  replaceKernel("Conv2DBackpropInput", backendName, () => (call) => {
    const { dy, filter } = call.inputs as unknown as {
      readonly dy: tf.Tensor4D;
      readonly filter: tf.Tensor4D;
    };
    const { inputShape, ...attributes } = call.attrs as unknown as Attributes;
    const convolution = describe(inputShape, filter.shape, attributes);
    const backend = call.backend as WasmHeap;
    const out = backend.makeOutput(inputShape, "float32");
    (backend.typedArrayFromHeap(out) as Float32Array).fill(0);
    const kernel = tf.reshape(filter, [-1, filter.shape[3]]) as tf.Tensor2D;
    for (const { first, pictures, shape } of chunks(convolution)) {
      const windows = tf.tidy(() => {
        const slopes = tf.reshape(tf.slice(dy, first, pictures), [shape[0], -1]) as tf.Tensor2D;
        return tf.matMul(slopes, kernel, false, true);
      });
      const [from, to] = heapViews(backend, [windows, out]) as [Float32Array, Float32Array];
      addWindows(from, to, convolution, first, pictures);
      windows.dispose();
    }
    kernel.dispose();
    return out;
  });
}

function describe(
  inputShape: [number, number, number, number],
  filterShape: [number, number, number, number],
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
