import * as tf from "@tensorflow/tfjs-core";
import type { Progress, SavedRun } from "../events.ts";
import { flattenState, unflattenState } from "../state.ts";
import { canonicalJson, type Json } from "./canonical-json.ts";

/** An open file of tensors; a checkpoint of `@dino/checkpoint` is one. */
export interface SavedCheckpoint {
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>;
  readonly metadata: Readonly<Record<string, string>>;
  read(name: string): Promise<{ readonly shape: readonly number[]; readonly data: unknown }>;
}

/** A saved run as a file holds it. */
export interface EncodedRun {
  readonly entries: Readonly<Record<string, tf.Tensor>>;
  readonly metadata: Readonly<Record<string, string>>;
}

const format = "dino";

/**
 * A run as tensors by name, which stay the trainer's, and text: nothing in it tells when, where
 * or how fast, so that an interrupted run ends with the same bytes as one that was not.
 */
export async function encodeRun(
  { state, progress }: SavedRun,
  settings: Json,
): Promise<EncodedRun> {
  const { tensors, numbers } = flattenState(state);
  const text = canonicalJson(settings);
  return {
    entries: tensors,
    metadata: {
      format,
      numbers: canonicalJson(numbers),
      progress: canonicalJson(progress),
      settings: text,
      settingsHash: await sha256(text),
    },
  };
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The run that was saved, as tensors that the caller owns. `path` is what errors call it. */
export async function decodeRun(
  path: string,
  checkpoint: SavedCheckpoint,
  settings: Json,
): Promise<SavedRun> {
  const { metadata } = checkpoint;
  if (metadata.format !== format) {
    throw new Error(`${path}: expected the state of a run, got a file without one`);
  }
  assertSameSettings(path, metadata.settings, settings);
  const numbers = parsed<Record<string, number>>(path, "numbers", metadata.numbers);
  const progress = parsed<Progress>(path, "progress", metadata.progress);
  const tensors: Record<string, tf.Tensor> = {};
  for (const name of checkpoint.tensors.keys()) {
    const { data, shape } = await checkpoint.read(name);
    const values = data instanceof Int32Array ? data : (data as Float32Array);
    const dtype = data instanceof Int32Array ? "int32" : "float32";
    tensors[name] = tf.tensor(values, [...shape], dtype);
  }
  return { state: unflattenState({ tensors, numbers }), progress };
}

/** Other numbers would make it another run, one that nobody could repeat. */
function assertSameSettings(path: string, saved: string | undefined, settings: Json): void {
  const now = canonicalJson(settings);
  if (saved === now) return;
  const before = parsed<Record<string, unknown>>(path, "settings", saved);
  const after = JSON.parse(now) as Record<string, unknown>;
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const name = names.find(
    (key) => canonicalJson(before[key] ?? null) !== canonicalJson(after[key] ?? null),
  );
  throw new Error(
    `${path}: expected the settings of this run, got ${name} ${JSON.stringify(before[name ?? ""])} in the file ` +
      `and ${JSON.stringify(after[name ?? ""])} now`,
  );
}

function parsed<T>(path: string, name: string, text: string | undefined): T {
  try {
    return JSON.parse(text ?? "") as T;
  } catch (cause) {
    throw new Error(`${path}: expected JSON in its ${name}, got ${JSON.stringify(text)}`, {
      cause,
    });
  }
}
