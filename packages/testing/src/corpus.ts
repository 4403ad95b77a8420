import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";

const folder = resolve(import.meta.dirname, "../corpus");

/** The bytes of one of the small files that PyTorch, numpy and others wrote, such as "pth/zip-2.pth". */
export function corpus(path: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(resolve(folder, path)));
}

/** The names of the files of one kind, such as "pth". */
export function corpusNames(kind: string): readonly string[] {
  return readdirSync(resolve(folder, kind))
    .sort()
    .map((name) => `${kind}/${name}`);
}
