import { DataError, type Dataset } from "@dino/data";
import { type HeldPicture, heldSet, picturesOf } from "../sets/held-set.ts";
import type { TrainSettings } from "./settings.ts";

/** What a run is made of, kept beside its state. */
export interface KeptRun {
  readonly settings: TrainSettings;
}

const folderName = "run";
const settingsName = "run.json";
const listName = "pictures.json";
const bytesName = "pictures.bin";

/** The folder of the one run that the browser keeps for this page, in its private file system. */
export async function runFolder(): Promise<FileSystemDirectoryHandle> {
  const root = await privateFiles();
  return root.getDirectoryHandle(folderName, { create: true });
}

/** The page's own files. An Error where the browser has none to write to, or gives none here. */
async function privateFiles(): Promise<FileSystemDirectoryHandle> {
  const writable = "createWritable" in (globalThis.FileSystemFileHandle?.prototype ?? {});
  if (!writable || !navigator.storage?.getDirectory) {
    throw new Error(
      "run: expected an origin-private file system to keep it in, got none from this browser; it gives one over https or on localhost alone",
    );
  }
  try {
    return await navigator.storage.getDirectory();
  } catch (cause) {
    const message =
      "run: expected an origin-private file system to keep it in, got none: is this a private window?";
    throw new Error(message, { cause });
  }
}

/** Forgets the run that was kept. */
export async function forgetRun(): Promise<void> {
  const root = await privateFiles();
  await root.removeEntry(folderName, { recursive: true }).catch(ignoreMissing);
}

/** What was kept of a run, if there is one. */
export async function keptRun(): Promise<KeptRun | undefined> {
  const text = await readText(await runFolder(), settingsName);
  return text === undefined ? undefined : (JSON.parse(text) as KeptRun);
}

/** Keeps what a run is made of; pictures of a person's own too, which nothing else brings back. */
export async function keepRun(settings: TrainSettings, own: Dataset | undefined): Promise<void> {
  const folder = await runFolder();
  if (own) await keepPictures(folder, own);
  await write(folder, settingsName, [JSON.stringify({ settings } satisfies KeptRun)]);
}

interface PictureList {
  readonly classes: readonly string[];
  readonly pictures: readonly {
    readonly name: string;
    readonly label: number;
    readonly width: number;
    readonly height: number;
  }[];
}

async function keepPictures(folder: FileSystemDirectoryHandle, own: Dataset): Promise<void> {
  const held = await picturesOf(own);
  const list: PictureList = {
    classes: own.classes,
    pictures: held.map(({ name, label, picture: { width, height } }) => ({
      ...{ name, label, width, height },
    })),
  };
  await write(
    folder,
    bytesName,
    held.map(({ picture }) => picture.data as Uint8Array<ArrayBuffer>),
  );
  await write(folder, listName, [JSON.stringify(list)]);
}

/** The pictures of their own that a person has trained on. */
export async function keptPictures(): Promise<Dataset> {
  const folder = await runFolder();
  const text = await readText(folder, listName);
  if (text === undefined) throw new DataError("pictures", "expected those of the run, got none");
  const { classes, pictures } = JSON.parse(text) as PictureList;
  const file = await (await folder.getFileHandle(bytesName)).getFile();
  const bytes = new Uint8Array(await file.arrayBuffer());
  let start = 0;
  const held = pictures.map(({ name, label, width, height }): HeldPicture => {
    const data = bytes.subarray(start, start + 3 * width * height);
    start += data.length;
    return { name, label, picture: { width, height, data } };
  });
  return heldSet(held, classes);
}

async function readText(
  folder: FileSystemDirectoryHandle,
  name: string,
): Promise<string | undefined> {
  const handle = await folder.getFileHandle(name).catch(ignoreMissing);
  return (await handle?.getFile())?.text();
}

async function write(
  folder: FileSystemDirectoryHandle,
  name: string,
  parts: readonly (string | Uint8Array<ArrayBuffer>)[],
): Promise<void> {
  const stream = await (await folder.getFileHandle(name, { create: true })).createWritable();
  for (const part of parts) await stream.write(part);
  await stream.close();
}

function ignoreMissing(error: unknown): undefined {
  if ((error as Error).name === "NotFoundError") return undefined;
  throw error;
}
