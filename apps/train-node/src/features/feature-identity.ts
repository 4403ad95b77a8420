import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Backbone } from "@dino/backbones";
import { activeBackend } from "@dino/backend";
import type { Params } from "@dino/ops";
import { canonicalJson } from "@dino/trainer/node";
import { RunError } from "../errors.ts";
import type { Model } from "../model/weights.ts";
import { version } from "../run/environment.ts";

/** Picture files below a folder, in their order, with a class each or -1. */
export interface PictureListing {
  readonly path: string;
  readonly length: number;
  name(index: number): string;
  label(index: number): number;
}

/**
 * What tells one model's features from another's: the architecture, every weight, and what
 * computes. Reads the weights once.
 */
export async function modelIdentity({
  backbone,
  params,
}: Pick<Model, "backbone" | "params">): Promise<string> {
  const { name, precision } = activeBackend();
  return canonicalJson({
    dino: version(),
    engine: { name, precision },
    backbone: settingsOf(backbone),
    weights: await hashOfParams(params),
  });
}

/** Names and numbers of a backbone: heads, which no weight tells, and the like. */
function settingsOf(backbone: Backbone): object {
  const told = Object.entries(backbone).filter(([, value]) =>
    ["string", "number", "boolean"].includes(typeof value),
  );
  return Object.fromEntries(told);
}

async function hashOfParams(params: Params): Promise<string> {
  const hash = createHash("sha256");
  for (const [name, tensor] of Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { buffer, byteOffset, byteLength } = await tensor.data();
    hash.update(canonicalJson([name, tensor.shape, tensor.dtype]));
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest("hex");
}

/** Files that are looked at side by side: on a network each is a wait. */
const looksAtOnce = 64;

/** A hash of which files there are, how large, changed when, of which class. Reads none of them. */
export async function listingHash(pictures: PictureListing, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  for (let first = 0; first < pictures.length; first += looksAtOnce) {
    signal?.throwIfAborted();
    const count = Math.min(looksAtOnce, pictures.length - first);
    const lines = Array.from({ length: count }, (_, i) => described(pictures, first + i));
    for (const line of await Promise.all(lines)) hash.update(line);
  }
  return hash.digest("hex");
}

async function described(pictures: PictureListing, index: number): Promise<string> {
  const name = pictures.name(index);
  const file = join(pictures.path, name);
  const found = await stat(file).catch((cause: Error) => {
    throw new RunError(`${file}: expected a picture, got ${cause.message}`, { cause });
  });
  return `${canonicalJson([name, pictures.label(index), found.size, found.mtimeMs])}\n`;
}
