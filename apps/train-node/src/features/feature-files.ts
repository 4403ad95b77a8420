import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Checkpoint } from "@dino/checkpoint";
import { CheckpointError } from "@dino/checkpoint";
import { openCheckpoint, writeSafetensors } from "@dino/checkpoint/node";
import type { FeatureSource, FeatureStore, Features } from "@dino/evaluation";
import { makeFolder } from "@dino/trainer/node";

export interface FeatureFilesOptions {
  /** What the features are of: a file in the folder that says otherwise is not taken. */
  readonly identity: string;
  /** Values in a row. */
  readonly dim: number;
}

/** Some rows in a file, all of which or the later ones of which are taken. */
interface Part {
  readonly checkpoint: Checkpoint;
  /** The row that its first one is. */
  readonly first: number;
  /** The rows that it is taken for end before this one. */
  readonly end: number;
  /** Where they begin: the part before it may have the first of its rows too. */
  readonly from: number;
}

const rowsName = "features";
const labelsName = "labels";

/**
 * Features in the safetensors files of a folder, each of which holds some rows (`features`,
 * `labels`) and says what of. The folder is made when there is something to keep.
 */
export async function featureFiles(
  folder: string,
  { identity, dim }: FeatureFilesOptions,
): Promise<FeatureStore> {
  const parts: Part[] = [];
  const labels: Int32Array[] = [];
  const kept = (): number => parts.at(-1)?.end ?? 0;

  const take = async (checkpoint: Checkpoint, first: number, count: number): Promise<void> => {
    const from = kept();
    const part = await checkpoint.readRows(labelsName, from - first, first + count - from);
    labels.push(part.data as Int32Array);
    parts.push({ checkpoint, first, from, end: first + count });
  };
  for (const { path, first, count } of filesOf(folder)) {
    if (first > kept()) break; // what lies behind a gap is made again
    if (first + count <= kept()) continue;
    const checkpoint = await opened(path);
    if (checkpoint && fits(checkpoint, { identity, dim, count })) {
      await take(checkpoint, first, count);
    }
  }

  return {
    get kept() {
      return kept();
    },
    append: async ({ rows, count, labels }: Features) => {
      makeFolder(folder);
      const first = kept();
      const path = join(folder, fileName(first, count));
      const entries = {
        [rowsName]: { dtype: "F32", shape: [count, dim], data: rows },
        [labelsName]: { dtype: "I32", shape: [count], data: labels },
      } as const;
      await writeSafetensors(path, entries, { identity });
      await take(await openCheckpoint(path), first, count);
    },
    source: () => sourceOf([...parts], joined(labels, kept()), dim),
  };
}

/** Named after their rows, so that names in order are rows in order. */
function fileName(first: number, count: number): string {
  return `${String(first).padStart(10, "0")}-${count}.safetensors`;
}

interface PartFile {
  readonly path: string;
  readonly first: number;
  readonly count: number;
}

/** The folder's files by their first row; of those with the same one, the longest comes first. */
function filesOf(folder: string): readonly PartFile[] {
  if (!existsSync(folder)) return [];
  const found = readdirSync(folder).flatMap((name) => {
    const match = /^(\d{10})-(\d+)\.safetensors$/.exec(name);
    if (!match) return [];
    return [{ path: join(folder, name), first: Number(match[1]), count: Number(match[2]) }];
  });
  return found.sort((a, b) => a.first - b.first || b.count - a.count);
}

/** The file, unless it is broken: then its rows are made again. */
async function opened(path: string): Promise<Checkpoint | undefined> {
  try {
    return await openCheckpoint(path);
  } catch (error) {
    if (error instanceof CheckpointError) return undefined;
    throw error;
  }
}

function fits(
  { metadata, tensors }: Checkpoint,
  { identity, dim, count }: FeatureFilesOptions & { readonly count: number },
): boolean {
  const rows = tensors.get(rowsName);
  const labels = tensors.get(labelsName);
  const [height, width] = rows?.shape ?? [];
  return (
    metadata.identity === identity &&
    rows?.dtype === "F32" &&
    labels?.dtype === "I32" &&
    height === count &&
    width === dim &&
    labels.shape[0] === count
  );
}

function sourceOf(parts: readonly Part[], labels: Int32Array, dim: number): FeatureSource {
  return {
    dim,
    count: labels.length,
    labels,
    read: async (first, count) => {
      const end = first + count;
      const wanted = parts.filter((part) => part.end > first && part.from < end);
      const some = await Promise.all(
        wanted.map(async (part) => {
          const from = Math.max(first, part.from);
          const length = Math.min(end, part.end) - from;
          const { data } = await part.checkpoint.readRows(rowsName, from - part.first, length);
          return data as Float32Array;
        }),
      );
      const [only] = some;
      if (only && some.length === 1) return only;
      const rows = new Float32Array(count * dim);
      let done = 0;
      for (const part of some) {
        rows.set(part, done);
        done += part.length;
      }
      return rows;
    },
  };
}

function joined(parts: readonly Int32Array[], count: number): Int32Array {
  const labels = new Int32Array(count);
  let done = 0;
  for (const part of parts) {
    labels.set(part, done);
    done += part.length;
  }
  return labels;
}
