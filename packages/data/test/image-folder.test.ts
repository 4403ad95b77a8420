import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { DataError, type Progress } from "@dino/data";
import { imageFolder } from "@dino/data/node";
import fc from "fast-check";
import { expect, test } from "vitest";
import { byCodePoint } from "../src/node/by-code-point.ts";
import { drawn, sharpOf, temporaryFolder, write } from "./pictures.ts";

const png = await sharpOf(drawn(5, 4)).png().toBuffer();
const text = new TextEncoder().encode("not a picture");

/** A new folder of files that are all the same small picture, but those with other content. */
async function folderOf(names: readonly string[], others: Record<string, Uint8Array> = {}) {
  const folder = temporaryFolder();
  await write(folder, { ...Object.fromEntries(names.map((name) => [name, png])), ...others });
  return folder;
}

/** Names and labels of a data set. */
async function contentOf(folder: string) {
  const { length, classes, name, label } = await imageFolder(folder);
  const indices = [...Array(length).keys()];
  return { names: indices.map(name), labels: indices.map(label), classes };
}

test("a flat folder has no classes", async () => {
  const folder = await folderOf(["b.png", "a10.PNG", "a9.png", "B.png"]);
  expect(await contentOf(folder)).toEqual({
    names: ["B.png", "a10.PNG", "a9.png", "b.png"],
    labels: [-1, -1, -1, -1],
    classes: [],
  });
});

test("the first level of folders is the classes, and deeper ones belong to it", async () => {
  const folder = await folderOf([
    "cat/2.png",
    "cat/1.png",
    "ant/x/9.png",
    "ant/y.png",
    "a b/1.png",
  ]);
  expect(await contentOf(folder)).toEqual({
    names: ["a b/1.png", "ant/y.png", "ant/x/9.png", "cat/1.png", "cat/2.png"],
    labels: [0, 1, 1, 2, 2],
    classes: ["a b", "ant", "cat"],
  });
});

test("pictures beside class folders come first and have no class", async () => {
  const folder = await folderOf(["cat/1.png", "ant/1.png", "z.png"]);
  expect(await contentOf(folder)).toEqual({
    names: ["z.png", "ant/1.png", "cat/1.png"],
    labels: [-1, 0, 1],
    classes: ["ant", "cat"],
  });
});

test("leaves out hidden things, other files, and folders without pictures", async () => {
  const folder = await folderOf(
    ["a.png", ".hidden.png", ".cache/b.png", "cat/.DS_Store.png", "real.jpg/c.png"],
    { "notes/readme.txt": text, "a.txt": text },
  );
  expect(await contentOf(folder)).toMatchObject({
    names: ["a.png", "real.jpg/c.png"],
    classes: ["real.jpg"],
  });
});

test("reads a picture's pixels by its index", async () => {
  const dataset = await imageFolder(await folderOf(["cat/1.png"]));
  expect(await dataset.read(0)).toEqual(drawn(5, 4));
  expect(() => dataset.name(1)).toThrow("index: expected an integer from 0 to 0, got 1");
  await expect(dataset.read(0, { signal: AbortSignal.abort() })).rejects.toThrow("aborted");
});

test("follows links, reads no folder twice, and ends when they go in a circle", async () => {
  const folder = await folderOf(["cat/1.png", "cat/deep/2.png"]);
  const elsewhere = await folderOf(["3.png"]);
  symlinkSync("../..", join(folder, "cat/deep/circle"));
  symlinkSync("cat", join(folder, "again")); // sorts before its target, which keeps its name
  symlinkSync(elsewhere, join(folder, "dog"));
  symlinkSync(join(elsewhere, "3.png"), join(folder, "link.png"));
  expect(await contentOf(folder)).toEqual({
    names: ["link.png", "cat/1.png", "cat/deep/2.png", "dog/3.png"],
    labels: [-1, 0, 0, 1],
    classes: ["cat", "dog"],
  });
});

test("names files whose headers are broken, and leaves them out", async () => {
  const folder = await folderOf(["cat/1.png", "cat/3.png"], {
    "cat/2.png": text,
    "dog/4.png": new Uint8Array(0),
  });
  symlinkSync("nowhere.png", join(folder, "gone.png"));
  const dataset = await imageFolder(folder);
  expect(dataset.broken).toEqual([
    { name: "gone.png", reason: "does not exist" },
    { name: "cat/2.png", reason: "Input file contains unsupported image format" },
    { name: "dog/4.png", reason: "the file is empty" },
  ]);
  expect(dataset.length).toBe(2);
  expect(dataset.classes).toEqual(["cat", "dog"]); // a broken file moves no label
});

test("without probing, broken files are found when they are read", async () => {
  const folder = await folderOf(["1.png"], { "2.png": text });
  const dataset = await imageFolder(folder, { probe: false });
  expect([dataset.length, dataset.broken]).toEqual([2, []]);
  expect(await dataset.read(0)).toEqual(drawn(5, 4));
  await expect(dataset.read(1)).rejects.toThrow(
    "2.png: Input file contains unsupported image format",
  );
});

test("tells how far probing has come, and stops when asked to", async () => {
  const folder = await folderOf(Array.from({ length: 40 }, (_, i) => `${i}.png`));
  const steps: Progress[] = [];
  await imageFolder(folder, { onProgress: (progress) => steps.push(progress) });
  expect(steps).toEqual(Array.from({ length: 40 }, (_, i) => ({ done: i + 1, total: 40 })));

  const controller = new AbortController();
  const stopped = imageFolder(folder, {
    signal: controller.signal,
    onProgress: ({ done }) => {
      if (done === 3) controller.abort(new Error("enough"));
    },
  });
  await expect(stopped).rejects.toThrow("enough");
});

test("orders names by code point", () => {
  // Spreading a string gives its code points, and UTF-32 numbers compare as they do.
  const points = (text: string) => [...text].map((character) => character.codePointAt(0) as number);
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (a, b) => {
      const [x, y] = [points(a), points(b)];
      const i = x.findIndex((point, at) => point !== y[at]);
      const expected = i < 0 ? x.length - y.length : (x[i] as number) - (y[i] ?? -1);
      expect(Math.sign(byCodePoint(a, b))).toBe(Math.sign(expected));
    }),
  );
  expect(["😀", "\uff01", "a"].sort(byCodePoint)).toEqual(["a", "\uff01", "😀"]);
});

test("says why a folder cannot be used", async () => {
  const folder = await folderOf(["a.png"], { "x/1.bmp": text, "x/2.bmp": text, "x/3.txt": text });
  const failure = async (path: string) => {
    const error = await imageFolder(path).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(DataError);
    return (error as DataError).message;
  };
  const none = join(folder, "none");
  expect(await failure(none)).toBe(`${none}: does not exist`);
  expect(await failure(join(folder, "a.png"))).toBe(`${join(folder, "a.png")}: is not a folder`);
  expect(await failure(join(folder, "x"))).toBe(
    `${join(folder, "x")}: has no pictures (.jpg .jpeg .jpe .jfif .png .webp .gif .avif .tif .tiff); it has other files: 2 .bmp, 1 .txt`,
  );
  mkdirSync(none);
  expect(await failure(none)).toBe(
    `${none}: has no pictures (.jpg .jpeg .jpe .jfif .png .webp .gif .avif .tif .tiff)`,
  );
  await write(none, Object.fromEntries([1, 2, 3, 4, 5].map((i) => [`${i}.png`, text])));
  const reason = "Input file contains unsupported image format";
  expect(await failure(none)).toBe(
    `${none}: none of its 5 pictures can be read: 1.png (${reason}), 2.png (${reason}), 3.png (${reason}) and 2 more`,
  );
});

test("says which folder may not be read, if there is one for this user", async () => {
  const folder = await folderOf(["a.png", "secret/b.png"]);
  chmodSync(join(folder, "secret"), 0);
  const opening = imageFolder(folder);
  if (process.getuid?.() === 0) {
    await expect(opening).resolves.toMatchObject({ length: 2 });
  } else {
    await expect(opening).rejects.toThrow(`${join(folder, "secret")}: permission denied`);
  }
  chmodSync(join(folder, "secret"), 0o700);
});
