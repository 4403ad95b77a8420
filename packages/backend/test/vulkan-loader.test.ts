import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { hasVulkanLoader } from "../src/engines/node/vulkan-loader.ts";

function folderWith(...place: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "vulkan-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, ...place), { recursive: true });
  writeFileSync(join(folder, ...place, "libvulkan.so.1"), "");
  return folder;
}

test("finds Vulkan's loader where libraries lie, or where the environment says", () => {
  const at = (options: object) => hasVulkanLoader({ platform: "linux", folders: [], ...options });
  expect(at({ libraryPath: "/nowhere" })).toBe(false);
  expect(at({ libraryPath: `/nowhere:${folderWith()}` })).toBe(true);
  expect(at({ libraryPath: "", folders: ["/nowhere", folderWith()] })).toBe(true);
  expect(at({ libraryPath: "", folders: [folderWith("x86_64-linux-gnu")] })).toBe(true);
  expect(at({ libraryPath: "", folders: [folderWith("other")] })).toBe(false);
});

test("needs none elsewhere than on Linux", () => {
  expect(hasVulkanLoader({ platform: "darwin", libraryPath: "", folders: [] })).toBe(true);
});
