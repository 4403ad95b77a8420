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
export function assertFeatures(name: string, { rows, dim, count, labels }: Features): void {
  if (count < 1) throw new RangeError(`${name}: expected at least one row, got none`);
  if (rows.length !== count * dim || labels.length !== count) {
    throw new ShapeError(
      `${name}: expected ${count} rows of ${dim} values and ${count} labels, ` +
        `got ${rows.length} values and ${labels.length} labels`,
    );
  }
  let broken = 0;
  for (let start = 0; start < rows.length; start += dim) {
    if (!rows.subarray(start, start + dim).every(Number.isFinite)) broken++;
  }
  if (broken > 0) {
    throw new RangeError(
      `${name}: expected finite features, got ${broken} of ${count} rows with NaN or infinity ` +
        "(the weights have diverged, or are not the network's)",
    );
  }
}

/** Fails unless every label of `features` is a class, below `classes` where that is given. */
export function assertLabels(name: string, { labels }: Features, classes?: number): void {
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
  features: Features,
  other: string,
  { dim }: Features,
): void {
  if (features.dim !== dim) {
    throw new ShapeError(
      `${name}: expected rows of ${dim} values as in ${other}, got ${features.dim}`,
    );
  }
}

/** The rows scaled to length 1, in memory of their own. A row of zeros stays as it is. */
export function unitRows({ rows, dim }: Features): Float32Array {
  const unit = new Float32Array(rows.length);
  for (let start = 0; start < rows.length; start += dim) {
    let squares = 0;
    for (let i = start; i < start + dim; i++) squares += (rows[i] as number) ** 2;
    const scale = 1 / Math.max(Math.sqrt(squares), 1e-12);
    for (let i = start; i < start + dim; i++) unit[i] = (rows[i] as number) * scale;
  }
  return unit;
}
