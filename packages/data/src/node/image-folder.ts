import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { BrokenPicture, Dataset, Progress } from "../dataset.ts";
import { DataError } from "../errors.ts";
import { briefly } from "./broken-pictures.ts";
import { decode, fileSystemReason, type Header, readHeader } from "./decode.ts";
import { endings, type Listing, listPictures } from "./list-pictures.ts";
import { mapConcurrently } from "./map-concurrently.ts";

/** Beyond this many files the headers are not read at once: it would take minutes on slow disks. */
const probedByDefault = 20_000;

/** Headers that are read side by side: mostly a wait for the disk. */
const probesAtOnce = 16;

export interface ImageFolderOptions {
  /**
   * Whether to read the header of every file at once, and leave out those that are no pictures.
   * Default: when there are no more than 20,000.
   */
  readonly probe?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Called while headers are read. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface ImageFolder extends Dataset {
  readonly path: string;
  readonly broken: readonly BrokenPicture[];
}

/**
 * The pictures below a folder, by their names' endings. The subfolders that hold pictures are the
 * classes, by code point; what lies deeper belongs to the subfolder at the first level. Pictures
 * beside the subfolders come first and have no class.
 *
 * A `DataError` says that the folder is missing or unreadable, or has no picture.
 */
export async function imageFolder(
  path: string,
  { probe, signal, onProgress }: ImageFolderOptions = {},
): Promise<ImageFolder> {
  signal?.throwIfAborted();
  await assertFolder(path);
  const listing = await listPictures(path, { signal });
  if (listing.names.length === 0) throw new DataError(path, noPictures(listing));

  const probed = probe ?? listing.names.length <= probedByDefault;
  const { names, headers, broken } = probed
    ? await readHeaders(path, listing.names, { signal, onProgress })
    : { names: listing.names, headers: [], broken: [] };
  if (names.length === 0) {
    throw new DataError(
      path,
      `none of its ${broken.length} pictures can be read: ${briefly(broken)}`,
    );
  }

  const classes = [...new Set(listing.names.filter(inSubfolder).map(classOf))];
  const labels = new Map(classes.map((name, label) => [name, label]));
  const at = (index: number): string => {
    const name = names[index];
    if (name === undefined) {
      throw new RangeError(
        `index: expected an integer from 0 to ${names.length - 1}, got ${index}`,
      );
    }
    return name;
  };

  return {
    path,
    length: names.length,
    classes,
    broken,
    name: at,
    label: (index) => (inSubfolder(at(index)) ? (labels.get(classOf(at(index))) as number) : -1),
    read: async (index, options) => {
      options?.signal?.throwIfAborted();
      const name = at(index);
      return decode(join(path, name), name, headers[index]);
    },
  };
}

const inSubfolder = (name: string): boolean => name.includes("/");
const classOf = (name: string): string => name.slice(0, name.indexOf("/"));

async function assertFolder(path: string): Promise<void> {
  const entry = await stat(path).catch((error: unknown) => {
    throw new DataError(path, fileSystemReason(error), { cause: error });
  });
  if (!entry.isDirectory()) throw new DataError(path, "is not a folder");
}

/** Why a folder with files in it may still have no pictures. */
function noPictures({ others }: Listing): string {
  const sorted = [...others].sort(([, a], [, b]) => b - a).slice(0, 3);
  const found = sorted.map(([ending, count]) => `${count} ${ending || "without an ending"}`);
  const instead = found.length > 0 ? `; it has other files: ${found.join(", ")}` : "";
  return `has no pictures (${endings.join(" ")})${instead}`;
}

interface Probed {
  readonly names: readonly string[];
  readonly headers: readonly Header[];
  readonly broken: readonly BrokenPicture[];
}

async function readHeaders(
  path: string,
  names: readonly string[],
  { signal, onProgress }: Pick<ImageFolderOptions, "signal" | "onProgress">,
): Promise<Probed> {
  let done = 0;
  const results = await mapConcurrently(names, probesAtOnce, async (name) => {
    signal?.throwIfAborted();
    const result = await readHeader(join(path, name), name).catch((error: DataError) => error);
    onProgress?.({ done: ++done, total: names.length });
    return result;
  });
  const readable: string[] = [];
  const headers: Header[] = [];
  const broken: BrokenPicture[] = [];
  results.forEach((result, i) => {
    const name = names[i] as string;
    if (result instanceof DataError) {
      broken.push({ name, reason: result.reason });
    } else {
      readable.push(name);
      headers.push(result);
    }
  });
  return { names: readable, headers, broken };
}
