import { realpathSync } from "node:fs";
import { DataError } from "@dino/data";
import { type ImageFolder, imageFolder } from "@dino/data/node";

export interface ClassFolderPaths {
  readonly train: string;
  readonly test?: string | undefined;
}

export interface ClassFolders {
  readonly train: ImageFolder;
  /** With the labels of `train`; nothing where there is no other folder. */
  readonly test: ImageFolder | undefined;
}

/** Opens folders with a folder for each class in them, the same classes in both. */
export async function openClassFolders(
  { train, test }: ClassFolderPaths,
  signal?: AbortSignal,
): Promise<ClassFolders> {
  const known = await openClassFolder(train, signal);
  const isSame = test === undefined || realpathSync(train) === realpathSync(test);
  if (isSame) return { train: known, test: undefined };
  return { train: known, test: sameClasses(await openClassFolder(test, signal), known) };
}

/** Opens a folder with a folder for each class in it: pictures beside them cannot be judged. */
export async function openClassFolder(path: string, signal?: AbortSignal): Promise<ImageFolder> {
  const folder = await imageFolder(path, { signal });
  if (folder.classes.length === 0) {
    throw new DataError(path, "expected pictures in one folder for each class, got a flat one");
  }
  if (folder.label(0) < 0) {
    throw new DataError(path, `expected every picture in a class folder, got ${folder.name(0)}`);
  }
  return folder;
}

/** The pictures with the labels that `known` gives to classes of the same names. */
function sameClasses(folder: ImageFolder, known: ImageFolder): ImageFolder {
  const labels = folder.classes.map((name) => known.classes.indexOf(name));
  const stranger = folder.classes.find((_, label) => (labels[label] as number) < 0);
  if (stranger !== undefined) {
    throw new DataError(folder.path, `expected the classes of ${known.path}, got ${stranger}`);
  }
  return { ...folder, label: (index) => labels[folder.label(index)] as number };
}
