import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { RunError } from "../errors.ts";
import type { PictureListing } from "../features/feature-identity.ts";
import { listingOf } from "../features/listing-of.ts";

/** Copies of one kind, and what they are copies of. */
export interface CopyBlock {
  readonly name: string;
  readonly pictures: PictureListing;
  /** For each copy, the originals that it is of, by their place. */
  readonly originals: readonly (readonly number[])[];
}

export interface Copydays {
  readonly originals: PictureListing;
  readonly blocks: readonly CopyBlock[];
  /** Blocks that are not there. */
  readonly absent: readonly string[];
}

const jpegQualities = [3, 5, 8, 10, 15, 20, 30, 50, 75];
const cropPercents = [10, 15, 20, 30, 40, 50, 60, 70, 80];

/** The folders of Copydays, in the reference's order. */
const blockNames = [
  "original",
  "strong",
  ...jpegQualities.map((quality) => `jpegqual/${quality}`),
  ...cropPercents.map((percent) => `crops/${percent}`),
];

/** Names of strong copies begin as those of their originals, for this many characters. */
const prefixLength = 4;

/**
 * Copydays below a folder: `original`, and some of `strong`, `jpegqual/3` and so on, `crops/10` and
 * so on. Copies of all kinds but `strong` are as many as the originals and in the same order. A
 * `RunError` says what is missing, and where it should be.
 */
export function copydays(root: string): Copydays {
  if (!isFolder(root)) throw new RunError(`${root}: expected ${layout}, got no folder`);
  const original = join(root, "original");
  if (!isFolder(original)) {
    throw new RunError(`${original}: expected the originals of Copydays, got no folder`);
  }
  const originals = namesIn(original);
  const blocks: CopyBlock[] = [];
  const absent: string[] = [];
  for (const name of blockNames) {
    const folder = join(root, name);
    if (!isFolder(folder)) {
      absent.push(name);
      continue;
    }
    const names = namesIn(folder);
    if (name !== "strong" && names.length !== originals.length) {
      throw new RunError(
        `${folder}: expected a copy of each of the ${originals.length} pictures in ${original}, got ${names.length}`,
      );
    }
    const of = name === "strong" ? strongOriginals(names, originals) : names.map((_, i) => [i]);
    blocks.push({ name, pictures: listingOf(folder, names), originals: of });
  }
  if (blocks.length === 1) {
    throw new RunError(`${root}: expected ${layout}, got original and no copies`);
  }
  return { originals: listingOf(original, originals), blocks, absent };
}

const layout = "a folder with original, and strong, jpegqual/75 or crops/10 and the like";

function strongOriginals(
  names: readonly string[],
  originals: readonly string[],
): readonly (readonly number[])[] {
  const begin = (name: string) => name.slice(0, prefixLength);
  return names.map((name) =>
    originals.flatMap((original, i) => (begin(original) === begin(name) ? [i] : [])),
  );
}

/** The pictures in a folder, in the order of their names. */
function namesIn(folder: string): readonly string[] {
  const names = readdirSync(folder).filter((name) =>
    /^[^.].*\.(jpe?g|png|webp|gif|avif|tiff?)$/i.test(name),
  );
  if (names.length > 0) return names.sort();
  throw new RunError(`${folder}: expected pictures such as 200000.jpg, got none`);
}

const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
