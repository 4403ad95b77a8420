import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** What the place of a person's engines depends on. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly home: string;
}

/**
 * The folder that a person's engines are installed in, one for all projects: `DINO_ENGINES_DIR`,
 * or where programs of the platform keep such data.
 */
export function enginesFolder({
  environment = process.env,
  platform = process.platform,
  home = homedir(),
}: Partial<Surroundings> = {}): string {
  if (environment.DINO_ENGINES_DIR) return resolve(environment.DINO_ENGINES_DIR);
  return join(dataFolder({ environment, platform, home }), "dino", "engines");
}

function dataFolder({ environment, platform, home }: Surroundings): string {
  if (platform === "win32") return environment.LOCALAPPDATA || join(home, "AppData", "Local");
  if (platform === "darwin") return join(home, "Library", "Application Support");
  return environment.XDG_DATA_HOME || join(home, ".local", "share");
}
