/** Asks for a file; nothing where the person changes their mind. */
export async function pickFile(accept: string): Promise<File | undefined> {
  const [file] = await pickFiles({ accept });
  return file;
}

/** Asks for files, or for all files of a folder. */
export function pickFiles({
  accept = "",
  folder = false,
  multiple = false,
}: {
  readonly accept?: string;
  readonly folder?: boolean;
  readonly multiple?: boolean;
}): Promise<readonly File[]> {
  return new Promise((resolve) => {
    const input = document.createElement("input");
    Object.assign(input, { type: "file", accept, multiple, webkitdirectory: folder });
    input.onchange = () => resolve([...(input.files ?? [])]);
    input.oncancel = () => resolve([]);
    input.click();
  });
}
