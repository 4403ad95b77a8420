import { ShapeError } from "@dino/ops";

/** The features of a set of pictures: plain numbers that outlive any backend. */
export interface Features {
  /** Row after row, in the order of the pictures: `count * dim` values. */
  readonly rows: Float32Array;
  /** Values in a row. */
  readonly dim: number;
  /** Pictures. */
  readonly count: number;
  /** The class of each picture from 0, or -1 where it has none: `count` values. */
  readonly labels: Int32Array;
}

/** Fails unless `features` are whole, of one row at least, and finite throughout. */
export function assertFeatures(name: string, features: Features): void {
  assertWhole(name, features);
  const { rows, dim, count } = features;
  let broken = 0;
  for (let start = 0; start < rows.length; start += dim) {
    if (!rows.subarray(start, start + dim).every(Number.isFinite)) broken++;
  }
  if (broken > 0) throw notFinite(name, broken, count);
}

/** Fails unless features have one row at least, a label for each, and as many values as they say. */
export function assertWhole(
  name: string,
  features: Pick<Features, "dim" | "count" | "labels"> & Partial<Pick<Features, "rows">>,
): void {
  const { rows, dim, count, labels } = features;
  if (count < 1) throw new RangeError(`${name}: expected at least one row, got none`);
  const values = rows?.length ?? count * dim;
  if (values !== count * dim || labels.length !== count) {
    throw new ShapeError(
      `${name}: expected ${count} rows of ${dim} values and ${count} labels, ` +
        `got ${values} values and ${labels.length} labels`,
    );
  }
}

/** What is wrong with rows of which some have values that are no numbers. */
export function notFinite(name: string, broken: number, count: number): RangeError {
  return new RangeError(
    `${name}: expected finite features, got ${broken} of ${count} rows with NaN or infinity ` +
      "(the weights have diverged, or are not the network's)",
  );
}

/** Fails unless every label of `features` is a class, below `classes` where that is given. */
export function assertLabels(
  name: string,
  { labels }: Pick<Features, "labels">,
  classes?: number,
): void {
  const none = labels.findIndex((label) => label < 0);
  if (none >= 0) {
    throw new RangeError(
      `${name}: expected classes from 0, got ${labels[none]} for row ${none}: pictures in a flat ` +
        "folder have no classes, and viewRetrieval needs none",
    );
  }
  const beyond = labels.findIndex((label) => classes !== undefined && label >= classes);
  if (beyond >= 0) {
    throw new RangeError(
      `${name}: expected classes below ${classes}, got ${labels[beyond]} for row ${beyond}`,
    );
  }
}

/** Fails unless two sets have rows of one length. */
export function assertSameDim(
  name: string,
  features: Pick<Features, "dim">,
  other: string,
  { dim }: Pick<Features, "dim">,
): void {
  if (features.dim !== dim) {
    throw new ShapeError(
      `${name}: expected rows of ${dim} values as in ${other}, got ${features.dim}`,
    );
  }
}
