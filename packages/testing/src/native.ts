import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const packageFolder = join(dirname(fileURLToPath(import.meta.url)), "../../backend-native");

/**
 * Whether tests run on the native engine too: where its addon is built. With `CI=true` it must be,
 * and tests fail where it is not.
 */
export const hasNative: boolean = process.env.CI === "true" || addons().length > 0;

function addons(): readonly string[] {
  const folder = join(packageFolder, "native");
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".node")) : [];
}

/** What is needed of `@dino/backend-native`, which depends on packages that are tested so. */
interface NativePackage {
  registerNativeBackend(): void;
}

/** Registers the backend `native`. */
export async function loadNative(): Promise<void> {
  const entry = join(packageFolder, "src/index.ts");
  const { registerNativeBackend }: NativePackage = await import(/* @vite-ignore */ entry);
  registerNativeBackend();
}
