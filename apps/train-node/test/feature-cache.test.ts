import {
  existsSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBackend } from "@dino/backend";
import { collectFeatures, type FeatureStore, type Features } from "@dino/evaluation";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, afterEach, expect, test } from "vitest";
import { cacheFolder } from "../src/features/cache-folder.ts";
import { type CachedFeatures, featureCache } from "../src/features/feature-cache.ts";
import { featureFiles } from "../src/features/feature-files.ts";
import { backboneOf } from "../src/model/architecture.ts";

const folder = mkdtempSync(join(tmpdir(), "dino-features-"));
afterAll(() => rmSync(folder, { recursive: true }));
await startBackend("cpu");

/** Rows `first` to `end - 1`: row i is [i, -i], of class i % 4. */
function rows(first: number, end: number): Features {
  const indices = Array.from({ length: end - first }, (_, i) => first + i);
  return {
    rows: Float32Array.from(indices.flatMap((i) => [i, -i])),
    dim: 2,
    count: end - first,
    labels: Int32Array.from(indices, (i) => i % 4),
  };
}

let stores = 0;
const newPlace = (): string => join(folder, `store${stores++}`);
const options = { identity: "these", dim: 2 };
const filled = async (place: string, ...ends: number[]): Promise<FeatureStore> => {
  const store = await featureFiles(place, options);
  for (const end of ends) await store.append(rows(store.kept, end));
  return store;
};

test("keeps rows in files, of which any can be read, now and later", async () => {
  const place = newPlace();
  for (const store of [await filled(place, 4, 5, 11), await featureFiles(place, options)]) {
    expect(store.kept).toBe(11);
    const source = store.source();
    expect(source.labels).toEqual(rows(0, 11).labels);
    for (const [first, end] of [
      [0, 11],
      [0, 3],
      [3, 6],
      [6, 11],
      [4, 5],
      [2, 2],
    ] as const) {
      expect(await source.read(first, end - first)).toEqual(rows(first, end).rows);
    }
  }
  expect(readdirSync(place)).toEqual([
    "0000000000-4.safetensors",
    "0000000004-1.safetensors",
    "0000000005-6.safetensors",
  ]);
});

test("takes no file that says that it is of something else, or has rows of another length", async () => {
  const place = newPlace();
  await filled(place, 4);
  expect((await featureFiles(place, { ...options, identity: "others" })).kept).toBe(0);
  expect((await featureFiles(place, { ...options, dim: 1 })).kept).toBe(0);
});

test("takes no file behind a missing, broken or misnamed one", async () => {
  const place = newPlace();
  await filled(place, 4, 6, 8);
  const second = join(place, "0000000004-2.safetensors");
  writeFileSync(second, "cut off");
  expect((await featureFiles(place, options)).kept).toBe(4);
  renameSync(join(place, "0000000006-2.safetensors"), join(place, "0000000004-3.safetensors"));
  expect((await featureFiles(place, options)).kept).toBe(4);
  rmSync(second);
  const store = await filled(place, 6); // goes on
  expect(store.kept).toBe(6);
  expect(await collectFeatures(store.source())).toEqual(rows(0, 6));
});

test("takes files of two runs that overlap", async () => {
  const place = newPlace();
  const other = newPlace();
  await filled(place, 4, 8);
  await filled(other, 2, 6, 9);
  for (const name of readdirSync(other)) renameSync(join(other, name), join(place, name));
  const store = await featureFiles(place, options);
  expect(await collectFeatures(store.source())).toEqual(rows(0, 9));
});

test("makes no folder for nothing", async () => {
  const place = newPlace();
  expect((await featureFiles(place, options)).kept).toBe(0);
  expect(existsSync(place)).toBe(false);
});

const backbone = backboneOf({ embedDim: 2, depth: 1, heads: 1, patchSize: 8, imageSize: 8 });
const params = { a: tf.tensor([1, 2]), b: tf.tensor([[3]]) };
const tensors = tf.memory().numTensors;
afterEach(() => expect(tf.memory().numTensors).toBe(tensors));
const pictures = {
  path: folder,
  length: 6,
  name: (index: number) => `${index}.png`,
  label: (index: number) => index % 4,
};

/** Asks for the features of six pictures; tells how many of them had to be made. */
async function ask(
  cache: ReturnType<typeof featureCache>,
  changes: Partial<CachedFeatures> = {},
): Promise<number> {
  let made = 0;
  const { features, reused } = await cache.features({
    pictures,
    transform: { size: 8 },
    dim: 2,
    make: async function* (first) {
      made = 6 - first;
      yield rows(first, 6);
    },
    ...changes,
  });
  expect(features.count).toBe(6);
  expect(reused + made).toBe(6);
  return made;
}

test("makes features once, and anew for other weights, pictures, classes or transforms", async () => {
  const place = newPlace();
  for (let i = 0; i < 6; i++) writeFileSync(join(folder, `${i}.png`), `picture ${i}`);
  const cache = featureCache({ backbone, params }, place);
  expect(await ask(cache)).toBe(6);
  expect(await ask(cache)).toBe(0);
  expect(await ask(featureCache({ backbone, params }, place))).toBe(0);

  expect(await ask(cache, { transform: { size: 16 } })).toBe(6);
  expect(await ask(cache, { pictures: { ...pictures, label: () => 0 } })).toBe(6);
  const renamed = { ...pictures, name: (index: number) => `${5 - index}.png` };
  expect(await ask(cache, { pictures: renamed })).toBe(6);
  const other = { ...params, b: tf.tensor([[3.0000002]]) };
  expect(await ask(featureCache({ backbone, params: other }, place))).toBe(6);
  tf.dispose(other.b);
  const twoHeads = backboneOf({ embedDim: 2, depth: 1, heads: 2, patchSize: 8, imageSize: 8 });
  expect(await ask(featureCache({ backbone: twoHeads, params }, place))).toBe(6);

  expect(await ask(cache)).toBe(0);
  utimesSync(join(folder, "3.png"), 1e9, 1e9);
  expect(await ask(cache)).toBe(6);
  writeFileSync(join(folder, "3.png"), "longer than before");
  utimesSync(join(folder, "3.png"), 1e9, 1e9);
  expect(await ask(cache)).toBe(6);
});

test("keeps nothing without a folder", async () => {
  const cache = featureCache({ backbone, params }, undefined);
  expect(await ask(cache)).toBe(6);
  expect(await ask(cache)).toBe(6);
});

test("goes on where it was stopped", async () => {
  const cache = featureCache({ backbone, params }, newPlace());
  const controller = new AbortController();
  const make = async function* (first: number) {
    for (let i = first; i < 6; i += 2) yield rows(i, i + 2);
  };
  const stopped = ask(cache, {
    make,
    signal: controller.signal,
    onProgress: ({ done }) => done === 4 && controller.abort(new Error("enough")),
  });
  await expect(stopped).rejects.toThrow("enough");
  expect(await ask(cache)).toBe(2);
});

test("names a picture that is gone", async () => {
  const cache = featureCache({ backbone, params }, newPlace());
  const gone = { ...pictures, name: () => "gone.png" };
  await expect(ask(cache, { pictures: gone })).rejects.toThrow(
    `${join(folder, "gone.png")}: expected a picture, got ENOENT`,
  );
});

test("caches lie where the system wants them, or where DINO_CACHE says", () => {
  const at = (environment: object, platform: NodeJS.Platform) =>
    cacheFolder("features", environment as Record<string, string>, platform);
  expect(at({ DINO_CACHE: "/big" }, "linux")).toBe(join("/big", "features"));
  expect(at({ XDG_CACHE_HOME: "/x" }, "linux")).toBe(join("/x", "dino", "features"));
  expect(at({}, "linux")).toMatch(/\.cache.dino.features$/);
  expect(at({}, "darwin")).toMatch(/Library.Caches.dino.features$/);
  expect(at({ LOCALAPPDATA: "C" }, "win32")).toBe(join("C", "dino", "features"));
});
