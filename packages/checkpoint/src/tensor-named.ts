import { CheckpointError, quote } from "./checkpoint-error.ts";

/** The tensor of this name, or an error that says that the file has none. */
export function tensorNamed<T>(file: string, tensors: ReadonlyMap<string, T>, name: string): T {
  const tensor = tensors.get(name);
  if (tensor !== undefined) return tensor;
  throw new CheckpointError(
    `${file}: expected a tensor ${quote(name)}, got ${tensors.size} of other names`,
  );
}

/** Fails unless a tensor of this shape has the rows `first` to `first + count - 1`. */
export function assertRows(
  what: string,
  [rows]: readonly number[],
  first: number,
  count: number,
): void {
  if (rows === undefined) {
    throw new CheckpointError(`${what}: expected a tensor with rows, got a single number`);
  }
  const whole = [first, count].every((value) => Number.isSafeInteger(value) && value >= 0);
  if (whole && first + count <= rows) return;
  throw new CheckpointError(
    `${what}: expected some of its ${rows} rows, got ${count} from ${first}`,
  );
}
