import type * as tf from "@tensorflow/tfjs-core";
import { InferenceSession, Tensor } from "onnxruntime-node";

/** What a runtime of others computes from the file, for pictures `[batch, 3, rows, columns]`. */
export async function runOnnx(
  bytes: Uint8Array,
  images: tf.Tensor4D,
): Promise<Record<string, { readonly dims: readonly number[]; readonly data: Float32Array }>> {
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
  try {
    const input = new Tensor("float32", images.dataSync() as Float32Array, images.shape);
    const found = await session.run({ images: input });
    return Object.fromEntries(
      Object.entries(found).map(([name, { dims, data }]) => [
        name,
        { dims, data: data as Float32Array },
      ]),
    );
  } finally {
    await session.release();
  }
}
