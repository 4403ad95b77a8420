import * as tf from "@tensorflow/tfjs-core";

/** Makes a registered tfjs backend the active one. */
export async function activate(name: string): Promise<void> {
  // Where a backend fails to initialise, tfjs prints why and gives no error.
  if (!(await tf.setBackend(name))) throw new Error("tfjs could not initialise it");
  await tf.ready();
}
