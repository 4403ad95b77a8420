import { readdir, realpath, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { DataError } from "../errors.ts";
import { byCodePoint } from "./by-code-point.ts";
import { fileSystemReason } from "./decode.ts";
import { mapConcurrently } from "./map-concurrently.ts";

/** The endings of picture files that can be read. */
export const endings: readonly string[] = [
  ".jpg",
  ".jpeg",
  ".jpe",
  ".jfif",
  ".png",
  ".webp",
  ".gif",
  ".avif",
  ".tif",
  ".tiff",
];

export interface Listing {
  /** Paths of the picture files below the folder, with "/" between their parts, in order. */
  readonly names: readonly string[];
  /** How many files have each ending that is not a picture's. */
  readonly others: ReadonlyMap<string, number>;
}

/**
 * The pictures below a folder: those in it first, then those of its subfolders, each by code point.
 * Hidden files and folders are left out. Links are followed, but no folder is read twice, so a link
 * in a circle or beside its target adds nothing.
 */
export async function listPictures(
  root: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Listing> {
  const seen = new Set<string>();
  const others = new Map<string, number>();

  const list = async (folder: string): Promise<string[]> => {
    options.signal?.throwIfAborted();
    const path = join(root, folder);
    const { files, folders, links } = await entriesOf(path, seen);
    for (const file of files) {
      const ending = extname(file).toLowerCase();
      if (!isPicture(file)) others.set(ending, (others.get(ending) ?? 0) + 1);
    }
    // A folder's own place comes before a link to it, whichever name sorts first.
    const below = new Map<string, string[]>();
    for (const name of [...folders, ...links]) {
      below.set(name, await list(folder === "" ? name : `${folder}/${name}`));
    }
    const own = files.filter(isPicture).sort(byCodePoint);
    return [
      ...own.map((name) => (folder === "" ? name : `${folder}/${name}`)),
      ...[...below].sort(([a], [b]) => byCodePoint(a, b)).flatMap(([, names]) => names),
    ];
  };

  return { names: await list(""), others };
}

interface Entries {
  readonly files: string[];
  readonly folders: string[];
  /** Links to folders. */
  readonly links: string[];
}

/** What a folder holds but hidden things; nothing when its real path is among `seen`. */
async function entriesOf(path: string, seen: Set<string>): Promise<Entries> {
  const entries: Entries = { files: [], folders: [], links: [] };
  try {
    const real = await realpath(path);
    if (seen.has(real)) return entries;
    seen.add(real);
    const links: string[] = [];
    for (const entry of await readdir(path, { withFileTypes: true })) {
      if (entry.name.startsWith(".")) continue;
      if (entry.isDirectory()) entries.folders.push(entry.name);
      else if (entry.isFile()) entries.files.push(entry.name);
      else if (entry.isSymbolicLink()) links.push(entry.name);
    }
    const lead = await mapConcurrently(links, 16, (name) => leadsToFolder(join(path, name)));
    links.forEach((name, i) => {
      (lead[i] ? entries.links : entries.files).push(name);
    });
  } catch (error) {
    throw new DataError(path, fileSystemReason(error), { cause: error });
  }
  return entries;
}

/** Whether a link ends at a folder. One that ends nowhere counts as a file, which then is broken. */
async function leadsToFolder(link: string): Promise<boolean> {
  try {
    return (await stat(link)).isDirectory();
  } catch {
    return false;
  }
}

const isPicture = (file: string): boolean => endings.includes(extname(file).toLowerCase());
