import * as tf from "@tensorflow/tfjs-core";

/** Multiply-adds from which a product of a batch is worth a call of its own. */
const worthACall = 1_000_000;

/**
 * Lets transposed and large batched products take the fast road. XNNPACK only multiplies plain
 * matrices; whatever is transposed or batched goes through a scalar loop that is ten times
 * slower, so it pays to transpose first, and to go through a batch of large products one by one.
 */
export function fastMatMul(backendName: string): void {
  const stock = tf.getKernel("BatchMatMul", backendName);
  if (stock === undefined) return;
  tf.unregisterKernel("BatchMatMul", backendName);
  tf.registerKernel({
    ...stock,
    kernelFunc: (call) => {
      const { a, b } = call.inputs as { a: tf.Tensor3D; b: tf.Tensor3D };
      const { transposeA, transposeB } = call.attrs as unknown as Transposes;
      const [batch, ...rest] = a.shape;
      const [inner, rows] = transposeA ? rest : rest.toReversed();
      const columns = b.shape[transposeB ? 1 : 2] as number;
      const size = (rows as number) * (inner as number) * columns;
      if (a.shape[0] !== b.shape[0] || a.rank !== 3) return stock.kernelFunc(call);
      if (batch === 1) {
        if (!transposeA && !transposeB) return stock.kernelFunc(call);
        return tf.tidy(() => {
          const plain = {
            a: transposeA ? tf.transpose(a, [0, 2, 1]) : a,
            b: transposeB ? tf.transpose(b, [0, 2, 1]) : b,
          };
          const attrs = { transposeA: false, transposeB: false };
          const { dataId, shape, dtype } = stock.kernelFunc({
            ...call,
            inputs: plain,
            attrs,
          }) as tf.TensorInfo;
          return tf.engine().makeTensorFromTensorInfo({ dataId, shape, dtype });
        });
      }
      if (size < worthACall) return stock.kernelFunc(call);
      return tf.tidy(() => {
        const right = tf.unstack(b) as tf.Tensor2D[];
        const products = (tf.unstack(a) as tf.Tensor2D[]).map((left, i) =>
          tf.matMul(left, right[i] as tf.Tensor2D, transposeA, transposeB),
        );
        return tf.stack(products);
      });
    },
  });
}

interface Transposes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}
