import { DataError } from "../errors.ts";

/** A file, and where it lies below what was chosen: "cats/1.jpg". */
export interface NamedFile {
  readonly path: string;
  readonly file: Blob;
}

/** Files of an input element; those of a folder (`webkitdirectory`) know their place below it. */
export function namedFiles(files: Iterable<File>): NamedFile[] {
  return [...files].map((file) => ({
    path: file.webkitRelativePath.split("/").slice(1).join("/") || file.name,
    file,
  }));
}

/** What was dropped on a page, files and whole folders. To be called while the event is handled. */
export async function droppedFiles(transfer: DataTransfer): Promise<NamedFile[]> {
  // The items are gone as soon as the event has been handled, so all entries are taken first.
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  const [only] = entries;
  // One folder is what its files lie below; of several, each is a name of its own.
  if (entries.length === 1 && only?.isDirectory) return below(only, "");
  return (await Promise.all(entries.map((entry) => below(entry, entry.name)))).flat();
}

/** All files below a folder of the File System Access API. */
export async function folderFiles(
  folder: FileSystemDirectoryHandle,
  path = "",
): Promise<NamedFile[]> {
  const files: NamedFile[] = [];
  for await (const entry of valuesOf(folder)) {
    const own = path === "" ? entry.name : `${path}/${entry.name}`;
    if (entry.kind === "directory") {
      files.push(...(await folderFiles(entry as FileSystemDirectoryHandle, own)));
    } else {
      files.push({ path: own, file: await (entry as FileSystemFileHandle).getFile() });
    }
  }
  return files;
}

function valuesOf(folder: FileSystemDirectoryHandle): AsyncIterable<FileSystemHandle> {
  return (folder as unknown as { values(): AsyncIterable<FileSystemHandle> }).values();
}

async function below(entry: FileSystemEntry, path: string): Promise<NamedFile[]> {
  if (!entry.isDirectory) {
    const file = await told<File>(path, (resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    return [{ path, file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const files: NamedFile[] = [];
  for (;;) {
    // A reader gives a hundred at a time, and none once it has given all.
    const some = await told<FileSystemEntry[]>(path, (resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return files;
    for (const each of some) {
      files.push(...(await below(each, path === "" ? each.name : `${path}/${each.name}`)));
    }
  }
}

function told<T>(
  path: string,
  ask: (resolve: (value: T) => void, reject: (error: DOMException) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    ask(resolve, (cause) => reject(new DataError(path || "folder", cause.message, { cause })));
  });
}
