import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Checkpoint, TensorData } from "@dino/checkpoint";
import { openCheckpoint, writeSafetensors } from "@dino/checkpoint/node";
import type { LinearProbeState, LinearSnapshot } from "@dino/evaluation";
import { canonicalJson, makeFolder } from "@dino/trainer/node";
import * as tf from "@tensorflow/tfjs-core";
import { RunError } from "../errors.ts";

/** All that the numbers of a probe depend on, by name. */
export type ProbeSettings = Readonly<Record<string, string | number | boolean>>;

/** Where a probe is kept while it is trained. */
export interface ProbeStore {
  readonly path: string;
  /** What it may go on from, whose tensors the caller owns; nothing where nothing was kept. */
  load(): Promise<LinearSnapshot | undefined>;
  save(snapshot: LinearSnapshot): Promise<void>;
}

/**
 * The state of a probe in a safetensors file of `folder`, written whole or not at all. One that was
 * left by a probe of other settings is an error that names them.
 */
export function probeStore(folder: string, name: string, settings: ProbeSettings): ProbeStore {
  const path = join(folder, `${name}.safetensors`);
  return {
    path,
    load: async () => {
      if (!existsSync(path)) return undefined;
      const file = await openCheckpoint(path);
      assertSame(path, settings, file.metadata.settings);
      return snapshotIn(file);
    },
    save: async ({ state, step, epoch, lossSums, bestTop1 }) => {
      makeFolder(folder);
      const numbers = { step: String(step), epoch: String(epoch) };
      await writeSafetensors(path, state, {
        ...numbers,
        lossSums: lossSums.map(String).join(" "), // JSON has no NaN
        bestTop1: bestTop1.map(String).join(" "),
        settings: canonicalJson(settings),
      });
    },
  };
}

const names = ["weight", "bias", "weightMomentum", "biasMomentum"] as const;

async function snapshotIn(file: Checkpoint): Promise<LinearSnapshot> {
  const read = async (name: string) => {
    const { shape, data }: TensorData = await file.read(name);
    return { shape: [...shape], data: data as Float32Array };
  };
  const found = await Promise.all(names.map(read)); // all of them, before the first tensor is made
  const [weight, bias, weightMomentum, biasMomentum] = found.map(({ shape, data }) =>
    tf.tensor(data, shape),
  );
  const { step, epoch, lossSums = "", bestTop1 = "" } = file.metadata;
  return {
    state: { weight, bias, weightMomentum, biasMomentum } as LinearProbeState,
    step: Number(step),
    epoch: Number(epoch),
    lossSums: lossSums.split(" ").map(Number),
    bestTop1: bestTop1.split(" ").map(Number),
  };
}

/** Fails unless what is kept was made with these settings. */
export function assertSame(path: string, settings: ProbeSettings, text: string | undefined): void {
  const kept = JSON.parse(text ?? "{}") as ProbeSettings;
  const keys = new Set([...Object.keys(settings), ...Object.keys(kept)]);
  const others = [...keys].filter((key) => settings[key] !== kept[key]);
  if (others.length === 0) return;
  const differences = others.map((key) => `${key} ${kept[key] ?? "none"}, not ${settings[key]}`);
  throw new RunError(
    `${path}: expected a probe of these settings, got one of others (${differences.join("; ")}): ` +
      "choose another --output-dir, or remove it",
  );
}
