import type { Checkpoint, TensorInfo } from "./checkpoint.ts";
import type { TensorData } from "./dtype.ts";

/** A tensor that lies elsewhere and is read each time that it is asked for. */
export interface StoredTensor extends TensorInfo {
  load(): Promise<TensorData>;
}

/** A checkpoint's tensors as what a writer takes: each is read when its turn comes. */
export function storedTensors(checkpoint: Checkpoint): ReadonlyMap<string, StoredTensor> {
  return new Map(
    [...checkpoint.tensors].map(([name, { dtype, shape }]) => [
      name,
      { dtype, shape, load: () => checkpoint.read(name) },
    ]),
  );
}
