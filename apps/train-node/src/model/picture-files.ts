import { statSync } from "node:fs";
import { join } from "node:path";
import { imageFolder } from "@dino/data/node";

/** The picture files that paths mean: themselves, or all below a folder. */
export async function pictureFiles(paths: readonly string[]): Promise<readonly string[]> {
  const files = await Promise.all(
    paths.map(async (path) => {
      if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path];
      const folder = await imageFolder(path);
      return Array.from({ length: folder.length }, (_, i) => join(path, folder.name(i)));
    }),
  );
  return files.flat();
}

/** Names of which no two are the same: the second `cat` becomes `cat-2`. */
export function uniqueNames(names: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let free = name;
    for (let i = 2; taken.has(free); i++) free = `${name}-${i}`;
    taken.add(free);
    return free;
  });
}
