import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Where this program keeps what can be made again: `DINO_CACHE`, or where the system wants such
 * things.
 */
export function cacheFolder(
  kind: string,
  environment: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform,
): string {
  const asked = environment.DINO_CACHE;
  return join(asked || join(systemCache(environment, platform), "dino"), kind);
}

function systemCache(
  { XDG_CACHE_HOME, LOCALAPPDATA }: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
): string {
  if (platform === "win32") return LOCALAPPDATA || join(homedir(), "AppData", "Local");
  if (platform === "darwin") return join(homedir(), "Library", "Caches");
  return XDG_CACHE_HOME || join(homedir(), ".cache");
}
