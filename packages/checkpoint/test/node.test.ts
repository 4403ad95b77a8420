import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CheckpointError, type TensorData } from "@dino/checkpoint";
import { openCheckpoint, writeSafetensors } from "@dino/checkpoint/node";
import { afterAll, expect, test } from "vitest";
import { encode, everyDtype, float32 } from "./files.ts";

const folder = await mkdtemp(join(tmpdir(), "dino-checkpoint-"));
afterAll(() => rm(folder, { recursive: true }));

/** A tensor's data that can be given a look at when the writer comes to it. */
function watched(entry: TensorData, onRead: () => void): TensorData {
  let reads = 0;
  return {
    dtype: entry.dtype,
    shape: entry.shape,
    get data() {
      reads += 1;
      if (reads > 1) onRead(); // the first is the check before anything is written
      return entry.data;
    },
  };
}

test("writes the bytes of the encoder, and reads them back from the path", async () => {
  const path = join(folder, "all.safetensors");
  const entries = everyDtype();
  await writeSafetensors(path, entries, { step: "1" });
  expect(new Uint8Array(await readFile(path))).toEqual(encode(entries, { step: "1" }));
  const checkpoint = await openCheckpoint(path);
  expect(checkpoint.name).toBe(path);
  for (const [name, entry] of Object.entries(entries)) {
    expect(await checkpoint.read(name)).toEqual(entry);
  }
});

test("keeps the old file until the new one is whole, under a name that ends otherwise", async () => {
  const path = join(folder, "last.safetensors");
  await writeSafetensors(path, { x: float32([1], [1]) });
  const old = await readFile(path);
  let during: string[] = [];
  const { readdirSync, readFileSync } = await import("node:fs");
  const entry = watched(float32([1], [2]), () => {
    during = readdirSync(folder).filter((name) => name.includes("last"));
    expect(readFileSync(path).equals(old)).toBe(true);
  });
  await writeSafetensors(path, { x: entry });
  expect(during.length).toBe(2);
  expect(during.filter((name) => name.endsWith(".safetensors"))).toEqual(["last.safetensors"]);
  expect((await (await openCheckpoint(path)).read("x")).data[0]).toBe(2);
  expect((await readdir(folder)).filter((name) => name.includes(".tmp"))).toEqual([]);
});

test("leaves the old file and nothing else when writing fails", async () => {
  const path = join(folder, "failing.safetensors");
  await writeSafetensors(path, { x: float32([1], [1]) });
  const entry = watched(float32([1], [2]), () => {
    throw new Error("the device was lost");
  });
  await expect(writeSafetensors(path, { x: entry })).rejects.toThrow(
    new CheckpointError(`${path}: expected to write a checkpoint, got the device was lost`),
  );
  expect((await (await openCheckpoint(path)).read("x")).data[0]).toBe(1);
  expect((await readdir(folder)).filter((name) => name.includes("tmp"))).toEqual([]);
});

test("lets several writers at one path, of whom one wins", async () => {
  const path = join(folder, "contended.safetensors");
  await Promise.all(
    [1, 2, 3, 4].map((value) => writeSafetensors(path, { x: float32([1], [value]) })),
  );
  const { data } = await (await openCheckpoint(path)).read("x");
  expect([1, 2, 3, 4]).toContain(data[0]);
});

test("names the path that cannot be read or written", async () => {
  const missing = join(folder, "none", "x.safetensors");
  await expect(openCheckpoint(missing)).rejects.toThrow(
    `${missing}: expected a file that can be read, got ENOENT`,
  );
  await expect(openCheckpoint(folder)).rejects.toThrow(CheckpointError);
  await expect(writeSafetensors(missing, {})).rejects.toThrow(
    `${missing}: expected to write a checkpoint, got ENOENT`,
  );
});

test("notices a file that was replaced while it was open", async () => {
  const path = join(folder, "replaced.safetensors");
  await writeSafetensors(path, { x: float32([1], [1]) });
  const checkpoint = await openCheckpoint(path);
  await writeSafetensors(path, { x: float32([1], [2]) });
  await expect(checkpoint.read("x")).rejects.toThrow(
    `${path}: expected the file that was opened, got another in its place: open it anew`,
  );
});

test("refuses a file that was cut", async () => {
  const path = join(folder, "cut.safetensors");
  await writeFile(path, encode({ x: float32([2], [1, 2]) }).subarray(0, -1));
  await expect(openCheckpoint(path)).rejects.toThrow(
    `${path}: tensor "x": data_offsets: expected start <= end <= 7, the bytes of data, got [0, 8]`,
  );
});
