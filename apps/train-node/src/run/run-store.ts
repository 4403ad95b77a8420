import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { openCheckpoint, writeSafetensors } from "@dino/checkpoint/node";
import type { ImageFolder } from "@dino/data/node";
import { type RunDirectory, runDirectory } from "@dino/trainer/node";
import { architectureKey, architectureOf } from "../model/architecture.ts";
import { configYaml, numberSettings } from "../settings/print.ts";
import type { Settings } from "../settings/settings.ts";
import type { Engine } from "./engine.ts";
import { environmentJson } from "./environment.ts";
import { configName } from "./run-settings.ts";

export interface RunStoreOptions {
  readonly settings: Settings;
  readonly photos: ImageFolder;
  readonly stepsPerEpoch: number;
  readonly engine: Engine;
}

/** The folder of a run; goes on only with the settings and the pictures that it began with. */
export function runStore(
  path: string,
  { settings, photos, stepsPerEpoch, engine }: RunStoreOptions,
): RunDirectory {
  const files = { open: openCheckpoint, write: writeSafetensors };
  return runDirectory(path, files, {
    settings: {
      ...numberSettings(settings),
      [architectureKey]: { ...architectureOf(settings) },
      pictures: identityOf(photos),
    },
    stepsPerEpoch,
    prototypes: settings.outDim,
    texts: {
      [configName]: configYaml(lasting(settings)),
      "environment.json": environmentJson(engine),
    },
  });
}

/** How many pictures, and of which names in which order: others would make another run. */
function identityOf(photos: ImageFolder): string {
  const hash = createHash("sha256");
  for (let i = 0; i < photos.length; i++) hash.update(`${photos.name(i)}\n`);
  return `${photos.length} (names ${hash.digest("hex").slice(0, 16)})`;
}

/** Rather than a published name or an address, which hold from anywhere as they are. */
function isPath(weights: string | undefined): boolean {
  return weights !== undefined && existsSync(weights);
}

/** Settings that hold from anywhere; the run's own place is where they lie. */
function lasting(settings: Settings): Settings {
  const absolute = (path: string | undefined) => (path === undefined ? undefined : resolve(path));
  return {
    ...settings,
    outputDir: undefined,
    dataPath: absolute(settings.dataPath),
    initWeights: isPath(settings.initWeights)
      ? absolute(settings.initWeights)
      : settings.initWeights,
    knnTrain: absolute(settings.knnTrain),
    knnTest: absolute(settings.knnTest),
  };
}
