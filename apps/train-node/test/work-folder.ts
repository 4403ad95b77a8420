import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** An empty folder for the tests of a file, gone after them. */
export function workFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `dino-${name}-`));
  afterAll(() => rmSync(folder, { recursive: true }));
  return folder;
}
