import type { Pixels } from "@dino/ops";

/** A picture that cannot be read, and why. */
export interface BrokenPicture {
  readonly name: string;
  readonly reason: string;
}

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
}

/** How far a long call has come. */
export interface Progress {
  readonly done: number;
  readonly total: number;
}

/**
 * Pictures by index, with or without classes. Reading the same index twice gives the same pixels,
 * and any number of reads may be under way at once.
 */
export interface Dataset {
  /** Where the pictures come from, for messages. */
  readonly path?: string;
  /** How many pictures there are. */
  readonly length: number;
  /** Names of the classes by label; empty when the pictures have none. */
  readonly classes: readonly string[];
  /** Pictures that were left out because they cannot be read; not counted in `length`. */
  readonly broken?: readonly BrokenPicture[];
  /** The class of a picture, or -1 without one. */
  label(index: number): number;
  /** A name that a person recognises the picture by. */
  name(index: number): string;
  /** The picture's pixels. Rejects when it cannot be read. */
  read(index: number, options?: ReadOptions): Promise<Pixels>;
}

/** What a data set is called in messages. */
export function nameOf(dataset: Dataset): string {
  return dataset.path ?? "dataset";
}
