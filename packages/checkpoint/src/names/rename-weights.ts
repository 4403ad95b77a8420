import { CheckpointError } from "../checkpoint-error.ts";
import type { TensorData } from "../dtype.ts";
import type { StoredTensor } from "../stored-tensor.ts";
import { type NameMap, theirNames } from "./name-map.ts";

/**
 * A backbone's tensors, which have the reference's names, under those of `map`: what it keeps in
 * parts, such as queries, keys and values, is cut. A name that it lacks is a `CheckpointError`.
 */
export function renameWeights(
  weights: ReadonlyMap<string, StoredTensor>,
  map: NameMap,
): ReadonlyMap<string, StoredTensor> {
  const renamed = new Map<string, StoredTensor>();
  for (const [name, tensor] of weights) {
    const names = theirNames(map, name);
    if (!names) {
      throw new CheckpointError(`${name}: expected a tensor that ${map.name} has, got another`);
    }
    for (const [part, theirs] of names.entries()) {
      renamed.set(theirs, names.length === 1 ? tensor : partOf(name, tensor, part, names.length));
    }
  }
  return renamed;
}

/** One of `parts` equal pieces along the first axis. */
function partOf(name: string, whole: StoredTensor, part: number, parts: number): StoredTensor {
  const [length = 1, ...rest] = whole.shape;
  if (length % parts !== 0) {
    throw new CheckpointError(
      `${name}: expected a first axis of ${parts} equal parts, got [${whole.shape.join(", ")}]`,
    );
  }
  const shape = [length / parts, ...rest];
  return {
    dtype: whole.dtype,
    shape,
    load: async () => {
      const { dtype, data } = await whole.load();
      const size = data.length / parts;
      const piece = data.slice(part * size, (part + 1) * size);
      return { dtype, shape, data: piece } satisfies TensorData;
    },
  };
}
