import { type BrokenPicture, type Dataset, nameOf } from "../dataset.ts";
import { DataError } from "../errors.ts";

/** What a data set's pictures were found to be while reading: those that cannot be. */
export interface BrokenPictures {
  /** Those that the data set left out itself, then those found since, in its order. */
  list(): readonly BrokenPicture[];
  has(index: number): boolean;
  /** Notes a picture, and throws a `DataError` when there are more than allowed. */
  add(index: number, error: unknown): void;
}

/**
 * Counts broken pictures. More than `maximum` of the data set, as a share from 0 to 1, is a
 * `DataError`: at once, when the data set knows of so many itself.
 */
export function brokenPictures(dataset: Dataset, maximum: number): BrokenPictures {
  if (!(maximum >= 0 && maximum <= 1)) {
    throw new RangeError(`maxBroken: expected a share from 0 to 1, got ${maximum}`);
  }
  const known = dataset.broken ?? [];
  const found = new Map<number, BrokenPicture>();
  const total = dataset.length + known.length;

  const list = (): BrokenPicture[] => [
    ...known,
    ...[...found].sort(([a], [b]) => a - b).map(([, picture]) => picture),
  ];
  const assertFew = (): void => {
    const count = known.length + found.size;
    if (count <= maximum * total) return;
    throw new DataError(
      nameOf(dataset),
      `${count} of ${total} pictures cannot be read, more than maxBroken ${maximum} allows: ${briefly(list())}`,
    );
  };
  assertFew();

  return {
    list,
    has: (index) => found.has(index),
    add: (index, error) => {
      found.set(index, { name: dataset.name(index), reason: reasonOf(error) });
      assertFew();
    },
  };
}

/** The first few, with their reasons. */
export function briefly(broken: readonly BrokenPicture[]): string {
  const shown = broken.slice(0, 3).map(({ name, reason }) => `${name} (${reason})`);
  const more = broken.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

function reasonOf(error: unknown): string {
  if (error instanceof DataError) return error.reason;
  return error instanceof Error ? error.message : String(error);
}
