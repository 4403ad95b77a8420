/** A folder in memory that writes as browsers do: a file is there once its stream is closed. */
export function memoryFolder() {
  const files = new Map<string, Blob>();
  const handle = (name: string) => ({
    getFile: async () => files.get(name),
    createWritable: async () => {
      const parts: BlobPart[] = [];
      return {
        write: async (part: Uint8Array<ArrayBuffer>) => void parts.push(part.slice()),
        close: async () => void files.set(name, new Blob(parts)),
        abort: async () => {},
      };
    },
  });
  const directory = {
    getFileHandle: async (name: string, { create = false } = {}) => {
      if (create || files.has(name)) return handle(name);
      throw Object.assign(new Error(`no ${name}`), { name: "NotFoundError" });
    },
  };
  return { files, directory: directory as unknown as FileSystemDirectoryHandle };
}
