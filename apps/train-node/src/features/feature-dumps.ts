import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type Checkpoint, CheckpointError, type TensorData } from "@dino/checkpoint";
import { openCheckpoint, writePytorch } from "@dino/checkpoint/node";
import { collectFeatures, type FeatureSource } from "@dino/evaluation";
import { makeFolder } from "@dino/trainer/node";

/** Features that the reference's k-NN takes from `--load_features`, and leaves by `--dump_features`. */
export interface DumpedFeatures {
  readonly train: FeatureSource;
  /** Nothing where every picture of `train` is classified by all the others. */
  readonly test: FeatureSource | undefined;
}

const files = {
  train: { rows: "trainfeat.pth", labels: "trainlabels.pth" },
  test: { rows: "testfeat.pth", labels: "testlabels.pth" },
} as const;

/** Writes the reference's files, each whole or not at all: rows of length 1, and int64 classes. */
export async function writeFeatureDumps(
  folder: string,
  { train, test }: DumpedFeatures,
): Promise<readonly string[]> {
  makeFolder(folder);
  const written: string[] = [];
  const write = async (name: string, tensor: TensorData) => {
    const path = join(folder, name);
    await writePytorch(path, tensor);
    written.push(path);
  };
  for (const [set, features] of [["train", train] as const, ["test", test] as const]) {
    if (features === undefined) {
      // Those of another evaluation would be taken for this one's.
      for (const name of Object.values(files[set])) await rm(join(folder, name), { force: true });
      continue;
    }
    const { rows, count, dim, labels } = await collectFeatures(features);
    scaleRows(rows, dim);
    await write(files[set].rows, { dtype: "F32", shape: [count, dim], data: rows });
    const classes = BigInt64Array.from(labels, BigInt);
    await write(files[set].labels, { dtype: "I64", shape: [count], data: classes });
  }
  return written;
}

/** Opens the reference's files. Rows are read when they are needed. */
export async function openFeatureDumps(folder: string): Promise<DumpedFeatures> {
  const train = await open(folder, files.train);
  const hasTest = Object.values(files.test).some((name) => existsSync(join(folder, name)));
  return { train, test: hasTest ? await open(folder, files.test) : undefined };
}

async function open(
  folder: string,
  { rows, labels }: { readonly rows: string; readonly labels: string },
): Promise<FeatureSource> {
  const file = await openCheckpoint(join(folder, rows));
  const [name, [count, dim]] = onlyTensor(file, "[pictures, values]", 2);
  const classes = await openCheckpoint(join(folder, labels));
  const [labelName, [labelCount]] = onlyTensor(classes, "[pictures]", 1);
  if (labelCount !== count) {
    throw new CheckpointError(
      `${classes.name}: expected ${count} classes, one for each row of ${file.name}, got ${labelCount}`,
    );
  }
  const { data } = await classes.read(labelName);
  return {
    count: count as number,
    dim: dim as number,
    labels: Int32Array.from(data as ArrayLike<number | bigint>, Number),
    read: async (first, length) => {
      const { data } = await file.readRows(name, first, length);
      return data instanceof Float32Array
        ? data
        : Float32Array.from(data as ArrayLike<number>, Number);
    },
  };
}

/** The one tensor in a file, of as many axes. */
function onlyTensor(
  { name, tensors }: Checkpoint,
  expected: string,
  axes: number,
): readonly [name: string, shape: readonly number[]] {
  const [first, ...others] = tensors;
  const shape = first?.[1].shape;
  if (first && shape?.length === axes && others.length === 0) return [first[0], shape];
  const got = others.length > 0 ? `${tensors.size} tensors` : `[${shape?.join(", ") ?? "none"}]`;
  throw new CheckpointError(`${name}: expected one tensor ${expected}, got ${got}`);
}

function scaleRows(rows: Float32Array, dim: number): void {
  for (let start = 0; start < rows.length; start += dim) {
    const row = rows.subarray(start, start + dim);
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    for (let i = 0; i < dim; i++) row[i] = (row[i] as number) / Math.max(length, 1e-12);
  }
}
