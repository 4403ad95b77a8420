import { UsageError } from "../errors.ts";

/** Throws a `UsageError` unless a square of this side is of whole patches. */
export function assertPatches(size: number, patchSize: number): void {
  if (size % patchSize === 0) return;
  throw new UsageError(
    `--image-size: expected a multiple of the model's patch of ${patchSize}, got ${size}`,
  );
}
