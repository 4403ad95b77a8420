import type * as tf from "@tensorflow/tfjs-core";
import type { Addon } from "../addon.ts";
import type { NativeBackend } from "../native-backend.ts";
import { backwardSize, forwardSize } from "./product-size.ts";

/** A half of a block that begins with `norm(x) weightT + bias`, on its way back. */
interface NormedProduct {
  /** The gradient of the half's result, which goes around it to `x` too, `[rows, dim]`. */
  readonly dy: tf.TensorInfo;
  readonly x: tf.TensorInfo;
  readonly normWeight: tf.TensorInfo;
  readonly normBias: tf.TensorInfo;
  readonly mean: tf.TensorInfo;
  readonly inverseStd: tf.TensorInfo;
  /** `[outputs, dim]` */
  readonly weight: tf.TensorInfo;
  /** The gradient of the product, `[rows, outputs]`; disposed of. */
  readonly dProduct: tf.TensorInfo;
  /** Room for the gradient of the normed rows, `[rows, dim]`; disposed of. */
  readonly between: tf.TensorInfo;
}

/** The gradients of `x`, of the norm's weight and bias and of the product's. */
export function backThroughNorm(
  { dy, x, normWeight, normBias, mean, inverseStd, weight, dProduct, between }: NormedProduct,
  backend: NativeBackend,
  native: Addon,
): tf.TensorInfo[] {
  const [rows, dim] = x.shape as [number, number];
  const dWeight = backend.output(weight.shape);
  const dBias = backend.output([weight.shape[0] as number]);
  native.weightBackNormed(
    backend.values(dProduct),
    backend.values(x),
    backend.values(normWeight),
    backend.values(normBias),
    backend.values(mean),
    backend.values(inverseStd),
    backend.values(dWeight),
    backend.values(dBias),
    forwardSize(rows, weight, backend),
  );
  native.productBack(
    backend.values(dProduct),
    undefined,
    backend.values(weight),
    undefined,
    backend.values(between),
    backwardSize(rows, weight, backend),
  );
  backend.disposeData(dProduct.dataId);
  const dx = backend.output(x.shape);
  const [dNormWeight, dNormBias] = [backend.output([dim]), backend.output([dim])];
  native.layerNormBack(
    backend.values(between),
    backend.values(x),
    backend.values(normWeight),
    backend.values(mean),
    backend.values(inverseStd),
    backend.values(dy),
    backend.values(dx),
    backend.values(dNormWeight),
    backend.values(dNormBias),
  );
  backend.disposeData(between.dataId);
  return [dx, dNormWeight, dNormBias, dWeight, dBias];
}
