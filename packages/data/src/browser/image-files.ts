import { resizeShortSide } from "@dino/augmentations";
import type { Pixels } from "@dino/ops";
import type { Dataset } from "../dataset.ts";
import { DataError } from "../errors.ts";
import { decodePicture } from "./decode-picture.ts";
import { type NamedFile, namedFiles } from "./named-files.ts";

export interface ImageFilesOptions {
  /** Larger pictures are brought down to this shorter side as they are read; default: as they are. */
  readonly shortSide?: number;
}

const isPicture = /\.(jpe?g|jpe|jfif|png|webp|gif|avif|bmp|svg)$/i;

/**
 * The pictures among files as a data set, in the order of their paths. Subfolders at the first
 * level are classes where there are two or more, as `imageFolder` has it in Node; what lies beside
 * them has the label -1. Nothing is read yet. A `DataError` where there is not one picture.
 */
export function imageFiles(
  files: Iterable<File> | readonly NamedFile[],
  { shortSide }: ImageFilesOptions = {},
): Dataset {
  const all = [...files];
  const named = all.every(isNamed) ? all : namedFiles(all as File[]);
  const pictures = named
    .filter(({ path }) => isPicture.test(path) && !/(^|\/)\./.test(path))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  if (pictures.length === 0) {
    throw new DataError("files", `expected pictures, got none among ${named.length} files`);
  }
  const folderOf = (path: string) => (path.includes("/") ? (path.split("/")[0] as string) : "");
  const folders = [...new Set(pictures.map(({ path }) => folderOf(path)))].filter(Boolean);
  const classes = folders.length > 1 ? folders : [];
  const at = (index: number): NamedFile => {
    const picture = pictures[index];
    if (picture) return picture;
    throw new RangeError(`index: expected 0 to ${pictures.length - 1}, got ${index}`);
  };
  return {
    length: pictures.length,
    classes,
    label: (index) => classes.indexOf(folderOf(at(index).path)),
    name: (index) => at(index).path,
    read: async (index, { signal } = {}) => {
      const { path, file } = at(index);
      signal?.throwIfAborted();
      return fitted(await decodePicture(file, path), shortSide);
    },
  };
}

function fitted(picture: Pixels, shortSide = Number.POSITIVE_INFINITY): Pixels {
  const { width, height } = picture;
  return Math.min(width, height) > shortSide ? resizeShortSide(picture, shortSide) : picture;
}

function isNamed(file: File | NamedFile): file is NamedFile {
  return "path" in file && "file" in file;
}
