import { type ImageFolder, imageFolder } from "@dino/data/node";
import type { Console } from "../console/console.ts";
import { count } from "../console/words.ts";

/** How many of many names are worth a line. */
const shown = 5;

/** Reads a folder's list of pictures, and tells of those that are none. */
export async function openPhotos(
  path: string,
  screen: Console,
  signal: AbortSignal,
): Promise<ImageFolder> {
  const photos = await imageFolder(path, {
    signal,
    onProgress: ({ done, total }) =>
      screen.draw(`reading ${path}: ${count(done)} of ${count(total)}`),
  });
  screen.draw("");
  const { length, classes, broken } = photos;
  const kinds = classes.length > 0 ? ` in ${count(classes.length)} folders` : "";
  screen.note(`${path}: ${count(length)} pictures${kinds}`);
  noteBroken("left out", broken, screen);
  return photos;
}

/** Names the first few pictures that cannot be read, and counts the rest. */
export function noteBroken(what: string, broken: ImageFolder["broken"], screen: Console): void {
  for (const { name, reason } of broken.slice(0, shown)) screen.note(`${what}: ${name} ${reason}`);
  const rest = broken.length - shown;
  if (rest > 0) screen.note(`${what}: ${count(rest)} more`);
}
