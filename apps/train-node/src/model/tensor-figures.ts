import type { Checkpoint } from "@dino/checkpoint";

/** What a tensor's elements come to. */
export interface TensorFigures {
  /** The square root of the sum of their squares. */
  readonly l2: number;
  /** None for a tensor without elements. */
  readonly mean: number;
}

/** Elements that are in memory at once, unless a single row has more. */
const elementsAtOnce = 2 ** 22;

/** Reads a tensor some rows at a time, and sums in float64. */
export async function tensorFigures(checkpoint: Checkpoint, name: string): Promise<TensorFigures> {
  const shape = checkpoint.tensors.get(name)?.shape ?? [];
  let count = 0;
  let sum = 0;
  let squares = 0;
  const add = (values: Iterable<number | bigint>) => {
    for (const element of values) {
      const value = Number(element);
      sum += value;
      squares += value * value;
      count += 1;
    }
  };
  const [rows, ...row] = shape;
  if (rows === undefined) add((await checkpoint.read(name)).data);
  else {
    const perRow = row.reduce((a, b) => a * b, 1);
    const step = Math.max(1, Math.floor(elementsAtOnce / Math.max(1, perRow)));
    // Without elements there is nothing to read, however many rows there are.
    for (let first = 0; first < rows && perRow > 0; first += step) {
      const part = await checkpoint.readRows(name, first, Math.min(step, rows - first));
      add(part.data);
    }
  }
  return { l2: Math.sqrt(squares), mean: sum / count };
}
