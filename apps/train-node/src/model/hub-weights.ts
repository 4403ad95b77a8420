import { basename } from "node:path";
import { type HubFile, hubFile } from "@dino/checkpoint/node";
import type { Console } from "../console/console.ts";
import { bytes } from "../console/words.ts";
import { cacheFolder } from "../features/cache-folder.ts";

export interface Surroundings {
  /** Where progress is shown; nowhere if absent. */
  readonly screen?: Console | undefined;
  /** `DINO_HUB_URL`, `HF_ENDPOINT`, `DINO_OFFLINE` and `DINO_CACHE` are looked at. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** The file of published weights, fetched if it is not here yet; nothing if `weights` is a path. */
export async function hubWeights(
  weights: string,
  { screen, environment = process.env }: Surroundings = {},
): Promise<string | undefined> {
  let began = false;
  const found = await hubFile(weights, {
    cache: cacheFolder("hub", environment),
    url: environment.DINO_HUB_URL,
    huggingFace: environment.HF_ENDPOINT,
    offline: isOn(environment.DINO_OFFLINE),
    onProgress: ({ done, total }) => {
      const all = total === undefined ? "" : ` of ${bytes(total)}`;
      if (!began) screen?.note(`${weights}: fetching${all.replace(" of", "")}`);
      began = true;
      screen?.draw(`${weights}: ${bytes(done)}${all}`);
    },
  });
  if (found) tell(found, screen);
  return found?.path;
}

function tell({ path, url, sha256, cached }: HubFile, screen: Console | undefined): void {
  if (cached) return;
  const { host } = new URL(url);
  screen?.note(`${basename(path)}: from ${host}, SHA-256 ${sha256}, kept as ${path}`);
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "0" && value !== "false";
}
