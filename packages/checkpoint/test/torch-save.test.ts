import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { crc32 as zlibCrc32 } from "node:zlib";
import {
  CheckpointError,
  openPytorch,
  type Saveable,
  storedTensors,
  streamPytorch,
  type TensorData,
} from "@dino/checkpoint";
import { openCheckpoint, writePytorch } from "@dino/checkpoint/node";
import { onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { crc32 } from "../src/torch-save/crc32.ts";
import { everyDtype, float32 } from "./files.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(joinPath(tmpdir(), "dino-torch-save-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function bytesOf(root: Saveable): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of streamPytorch(root)) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

const open = async (root: Saveable) => openPytorch(await bytesOf(root));

/** What PyTorch has storages for. */
function everyTorchDtype(): Record<string, TensorData> {
  return Object.fromEntries(
    Object.entries(everyDtype()).filter(([, { dtype }]) => !/^U(16|32|64)$/.test(dtype)),
  );
}

test("tensors of every dtype of PyTorch's come back as they were", async () => {
  const tensors = everyTorchDtype();
  const checkpoint = await open(new Map(Object.entries(tensors)));
  expect([...checkpoint.tensors.keys()]).toEqual(Object.keys(tensors));
  for (const [name, tensor] of Object.entries(tensors)) {
    expect(await checkpoint.read(name)).toEqual(tensor);
  }
});

test("dicts, lists and plain data come back as they were", async () => {
  const args = {
    arch: "vit_small",
    lr: 0.0005,
    epochs: 100,
    scale: [0.05, 0.4],
    half: true,
    whole: false,
    none: null,
    text: "Größe 漢字 🦕",
    negative: [-1, -129, -40000, -(2 ** 31), -(2 ** 40), 255, 256, 65535, 65536, 2 ** 31, 2 ** 52],
    floats: [-0, 1e300, Number.MAX_VALUE, Number.MIN_VALUE, Number.POSITIVE_INFINITY],
    big: 2n ** 80n,
    raw: Uint8Array.of(0, 127, 128, 255),
    empty: { list: [], dict: {}, text: "" },
  };
  const teacher = new Map([["backbone.cls_token", float32([1, 1, 2], [3, 4])]]);
  const checkpoint = await open({ teacher, epoch: 3, args, list: [float32([1], [5])] });
  expect([...checkpoint.tensors.keys()]).toEqual(["teacher.backbone.cls_token", "list.0"]);
  expect(checkpoint.data.epoch).toBe(3);
  expect(checkpoint.data.args).toEqual(args);
});

test("as much data as there is comes back", async () => {
  const words = Array.from({ length: 3000 }, (_, i) => `word ${i} ${"x".repeat(i % 7)}`);
  const numbers = words.map((_, i) => (i % 2 ? i / 3 : i * 1000));
  const dict = Object.fromEntries(words.map((word, i) => [word, numbers[i] as number]));
  const { data } = await open({ words, numbers, dict });
  expect(data).toEqual({ words, numbers, dict });
});

test("any whole number and any text come back", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.bigInt({ min: -(2n ** 100n), max: 2n ** 100n })),
      fc.array(fc.oneof(fc.double({ noNaN: true }), fc.maxSafeInteger())),
      fc.array(fc.string({ unit: "grapheme" })),
      async (bigints, numbers, texts) => {
        const { data } = await open({ bigints, numbers, texts });
        const plain = bigints.map((value) =>
          BigInt(Number.MIN_SAFE_INTEGER) <= value && value <= BigInt(Number.MAX_SAFE_INTEGER)
            ? Number(value)
            : value,
        );
        expect(data).toEqual({ bigints: plain, numbers, texts });
      },
    ),
    { numRuns: 50 },
  );
});

test("the same data give the same bytes, whose tensors start at multiples of 64", async () => {
  const root = () => ({ model: new Map(Object.entries(everyTorchDtype())), epoch: 1 });
  const bytes = await bytesOf(root());
  expect(await bytesOf(root())).toEqual(bytes);
  const view = new DataView(bytes.buffer);
  let files = 0;
  for (let at = 0; view.getUint32(at, true) === 0x04034b50; files++) {
    const start = at + 30 + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
    const size = view.getUint32(at + 18, true);
    expect(start % 64).toBe(0);
    expect(view.getUint32(at + 14, true)).toBe(zlibCrc32(bytes.subarray(start, start + size)));
    at = start + size;
  }
  expect(files).toBe(3 + Object.keys(everyTorchDtype()).length);
});

test("checksums are zlib's", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(crc32(bytes)).toBe(zlibCrc32(bytes));
    }),
  );
});

onEveryBackend(() => {
  test("writes tensors of a device, which stay", async () => {
    const before = tf.memory().numTensors;
    const weights = { a: tf.tensor([1.5, -2]), b: tf.tensor([3], [1], "int32") };
    const path = joinPath(folder, "device.pth");
    await writePytorch(path, new Map(Object.entries(weights)));
    const checkpoint = await openCheckpoint(path);
    expect(checkpoint.format).toBe("pytorch");
    expect(await checkpoint.read("a")).toEqual(float32([2], [1.5, -2]));
    expect([...(await checkpoint.read("b")).data]).toEqual([3]);
    expect(tf.memory().numTensors).toBe(before + 2);
    tf.dispose(weights);
  });
});

test("copies another checkpoint's tensors", async () => {
  const from = await open({ a: float32([2], [1, 2]), b: float32([1], [3]) });
  const to = await open(storedTensors(from));
  expect(await to.read("b")).toEqual(float32([1], [3]));
});

test("leaves the old file when something fails", async () => {
  const path = joinPath(folder, "old.pth");
  writeFileSync(path, "old");
  const broken = {
    dtype: "F32",
    shape: [1],
    load: () => Promise.reject(new Error("disk")),
  } as const;
  await expect(writePytorch(path, { broken })).rejects.toThrow(
    `${path}: expected to write a checkpoint, got disk`,
  );
  const short = { dtype: "F32", shape: [2], load: async () => float32([1], [1]) } as const;
  await expect(writePytorch(path, { short })).rejects.toThrow(
    "short: expected 2 elements for [2], got 1",
  );
  expect(readFileSync(path, "utf8")).toBe("old");
  expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
});

test("says what it cannot write", async () => {
  const u16: TensorData = { dtype: "U16", shape: [1], data: Uint16Array.of(1) };
  await expect(bytesOf({ args: { u16 } })).rejects.toThrow(
    new CheckpointError(
      '"args.u16": expected a dtype of F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL, got U16, which PyTorch has no storage for',
    ),
  );
  await expect(bytesOf({ args: { date: new Date(0) as never } })).rejects.toThrow(
    "args.date: expected tensors, text, numbers or dicts, got Date",
  );
  const huge = {
    dtype: "F32",
    shape: [2 ** 20, 2 ** 10],
    load: async () => float32([], []),
  } as const;
  await expect(bytesOf({ huge })).rejects.toThrow(
    /^checkpoint: expected less than 4 GiB and 65,535 tensors for a file of torch.save, got about 429496\d+ bytes in 4 parts: write safetensors$/,
  );
});
