import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freeBytes, removeFolder, stage } from "../../src/engine-install/staging.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "dino-staging-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test("puts in place what is finished, over what was there", () => {
  const folder = join(root, "engines", "tensorflow");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "old"), "");
  const staging = stage(folder);
  writeFileSync(join(staging.folder, "new"), "");
  expect(readdirSync(folder)).toEqual(["old"]);
  staging.finish();
  staging.abandon();
  expect(readdirSync(folder)).toEqual(["new"]);
  expect(readdirSync(join(root, "engines"))).toEqual(["tensorflow"]);
});

test("leaves nothing behind of what is abandoned", () => {
  const staging = stage(join(root, "engines", "tensorflow"));
  writeFileSync(join(staging.folder, "new"), "");
  staging.abandon();
  expect(readdirSync(root)).toEqual([]);
});

test("clears away what a killed process left, and nothing of one that runs", () => {
  const ended = spawnSync(process.execPath, ["--version"]).pid;
  const engines = join(root, "engines");
  for (const name of [`${ended}`, `${ended}-old`, `${process.ppid}`, "notes"]) {
    mkdirSync(join(engines, `.installing-${name}`), { recursive: true });
  }
  stage(join(engines, "tensorflow")).abandon();
  expect(readdirSync(engines).sort()).toEqual([`.installing-${process.ppid}`, ".installing-notes"]);
});

test("names the place where no folder can be", () => {
  writeFileSync(join(root, "file"), "");
  expect(() => stage(join(root, "file", "engines", "tensorflow"))).toThrow(
    `${join(root, "file", "engines")}: expected a folder that can be written, got ENOTDIR`,
  );
});

test("removes a folder, and the one around it when it is empty", () => {
  const engines = join(root, "engines");
  mkdirSync(join(engines, "tensorflow", "python"), { recursive: true });
  removeFolder(join(engines, "tensorflow"));
  expect(existsSync(engines)).toBe(false);
});

test("knows how much may be written", () => {
  expect(freeBytes(root)).toBeGreaterThan(0);
});
