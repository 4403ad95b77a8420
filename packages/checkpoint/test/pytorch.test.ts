import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Checkpoint, openPytorch } from "@dino/checkpoint";
import { openCheckpoint } from "@dino/checkpoint/node";
import { type Digest, decode, type GoldenArray, golden, goldensFolder } from "@dino/testing";
import { expect, test } from "vitest";

interface CheckpointsGolden {
  readonly dtypes: Readonly<Record<string, GoldenArray>>;
  readonly epoch: number;
  readonly student: Readonly<Record<string, Digest>>;
  readonly optimizer_exp_avg_0: GoldenArray;
  readonly args: Readonly<Record<string, unknown>>;
}

const figures = golden<CheckpointsGolden>("checkpoints");
const path = (name: string) => resolve(goldensFolder(), "checkpoints", name);
const bytes = (name: string) => new Uint8Array(readFileSync(path(name)));

/** Torch's elements in its own type; a bigint counts as its number. */
async function numbers(checkpoint: Checkpoint, name: string): Promise<number[]> {
  const { data } = await checkpoint.read(name);
  return Array.from(data as ArrayLike<number | bigint>, Number);
}

const dtypes: Readonly<Record<string, string>> = {
  half: "F16",
  bf16: "BF16",
  double: "F64",
  int64: "I64",
  int8: "I8",
  uint8: "U8",
  bool: "BOOL",
};

test.each(["zip", "legacy"])(
  "reads every dtype and view of a %s file as PyTorch does",
  async (kind) => {
    const checkpoint = await openCheckpoint(path(`dtypes_${kind}.pth`));
    expect(checkpoint.format).toBe("pytorch");
    expect(checkpoint.data).toEqual({});
    for (const [name, array] of Object.entries(figures.dtypes)) {
      const { dtype, shape } = await checkpoint.read(name);
      expect(dtype).toBe(dtypes[name] ?? "F32");
      // numpy gives a scalar one axis in the figures
      expect(shape).toEqual(name === "scalar" ? [] : array.shape);
      expect(await numbers(checkpoint, name)).toEqual([...decode(array)]);
    }
  },
);

test.each(["zip", "legacy"])("reads some rows of the views of a %s file", async (kind) => {
  const checkpoint = await openCheckpoint(path(`dtypes_${kind}.pth`));
  for (const [name, { shape }] of checkpoint.tensors) {
    const [rows = 0, ...row] = shape;
    if (rows < 2) continue;
    const size = row.reduce((a, b) => a * b, 1);
    const some = await checkpoint.readRows(name, 1, rows - 1);
    expect(some.shape).toEqual([rows - 1, ...row]);
    expect(some.data).toEqual((await checkpoint.read(name)).data.slice(size));
  }
});

test.each(["zip", "legacy"])("reads a whole training checkpoint of a %s file", async (kind) => {
  const checkpoint = await openCheckpoint(path(`dino_${kind}.pth`));
  expect(checkpoint.data.args).toEqual(figures.args);
  expect(checkpoint.data.epoch).toBe(figures.epoch);
  for (const [name, digest] of Object.entries(figures.student)) {
    const values = await numbers(checkpoint, `student.module.${name}`);
    expect(values.length).toBe(digest.shape_numel);
    expect(values.slice(0, digest.head.length)).toEqual(digest.head);
    expect(values.slice(-digest.tail.length)).toEqual(digest.tail);
    const l2 = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    expect(l2).toBeCloseTo(digest.l2, 6);
  }
  const moments = await numbers(checkpoint, "optimizer.state.0.exp_avg");
  expect(moments).toEqual([...decode(figures.optimizer_exp_avg_0)]);
});

test("reads the same from memory, a Blob and a path", async () => {
  const whole = bytes("backbone_zip.pth");
  const sources = [
    await openPytorch(whole),
    await openPytorch(new Blob([whole])),
    await openCheckpoint(path("backbone_zip.pth")),
  ];
  const [first] = sources;
  for (const checkpoint of sources) {
    expect([...checkpoint.tensors.keys()]).toEqual([...(first?.tensors.keys() ?? [])]);
    expect(checkpoint.tensors.size).toBeGreaterThan(0);
    for (const name of checkpoint.tensors.keys()) {
      expect(await checkpoint.read(name)).toEqual(await first?.read(name));
    }
  }
});
