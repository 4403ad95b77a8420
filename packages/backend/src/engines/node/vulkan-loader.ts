import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

const loader = "libvulkan.so.1";

/** Where Linux keeps its libraries, besides the folders of each architecture. */
const usual = [
  "/lib",
  "/lib64",
  "/usr/lib",
  "/usr/lib64",
  "/usr/local/lib",
  "/run/opengl-driver/lib",
];

/**
 * Whether Dawn has a chance to find a GPU: on Linux it loads Vulkan's loader, and complains on the
 * console where there is none. Looking for the file costs nothing.
 */
export function hasVulkanLoader({
  platform = process.platform,
  libraryPath = process.env.LD_LIBRARY_PATH ?? "",
  folders = usual,
}: {
  readonly platform?: string;
  readonly libraryPath?: string;
  readonly folders?: readonly string[];
} = {}): boolean {
  if (platform !== "linux") return true;
  const named = libraryPath.split(delimiter).filter(Boolean);
  const byArchitecture = folders.flatMap((folder) =>
    entries(folder)
      .filter((name) => name.endsWith("-linux-gnu"))
      .map((name) => join(folder, name)),
  );
  return [...named, ...folders, ...byArchitecture].some((folder) =>
    existsSync(join(folder, loader)),
  );
}

function entries(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
