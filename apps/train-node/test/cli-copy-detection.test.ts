import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crop } from "@dino/augmentations";
import { afterAll, beforeAll, expect, test } from "vitest";
import { copydays } from "../src/copies/copydays.ts";
import { figures, madePicture, messageOf, writePng, writeTinyModel } from "./made.ts";
import { sharedDino } from "./shared-dino.ts";

const dino = sharedDino();
const originals = 8;
/** Copydays' names: the first four characters are the original's, the next two the copy's. */
const nameOf = (scene: number, copy: number) => `${2000 + scene}0${copy}.png`;

let folder = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dino-cli-copies-"));
  await writeTinyModel(join(folder, "tiny.safetensors"));
  for (let scene = 0; scene < originals; scene++) {
    const original = madePicture(64, 48, scene, 0);
    const middle = crop(original, { left: 16, top: 12, width: 32, height: 24 });
    await writePng(join(folder, "copydays", "original", nameOf(scene, 0)), original);
    await writePng(join(folder, "copydays", "crops", "50", nameOf(scene, 0)), middle);
    for (const copy of [1, 2]) {
      const strong = madePicture(64, 48, scene, 2 * copy - 1);
      await writePng(join(folder, "copydays", "strong", nameOf(scene, copy)), strong);
    }
  }
  for (let i = 0; i < 12; i++) {
    const name = `${String(i).padStart(2, "0")}.png`;
    await writePng(join(folder, "distractors", name), madePicture(60, 60, 20 + i, 1));
  }
  for (let i = 0; i < 30; i++) {
    const name = `${String(i).padStart(2, "0")}.png`;
    await writePng(join(folder, "others", name), madePicture(50, 70, 40 + i, i % 3));
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const base =
  "eval copy-detection --weights tiny.safetensors --imsize 40 --features-cache kept --json";
const run = (...words: readonly string[]) => dino([...base.split(" "), ...words], { cwd: folder });

/** What the figures' words are in the command's document. */
function expected(blocks: typeof figures.copyDetection) {
  const entries = Object.entries(blocks).map(([name, { map, micro }]) => {
    return [name, { map: expect.closeTo(map, 6), microAp: expect.closeTo(micro, 6) }];
  });
  return { blocks: Object.fromEntries(entries) };
}

test("finds the originals that PyTorch and Pillow find, as they are and whitened", {
  timeout: 120_000,
}, async () => {
  const words = ["--data_path", "copydays", "--distractors_path", "distractors"];
  const plain = await run(...words);
  expect(plain.stderr).toContain("8 originals, 12 distractors");
  expect(plain.stderr).toContain("not there, and left out: jpegqual/3, jpegqual/5");
  expect(JSON.parse(plain.stdout)).toEqual(expected(figures.copyDetection));

  const whitened = await run(...words, "--whitening_path", "others");
  expect(whitened.stderr).toContain("strong: all 16 features were there");
  expect(whitened.stderr).toContain("learning a whitening of 48 values from 30 pictures");
  expect(whitened.stderr).toContain("which are less than there are values");
  expect(JSON.parse(whitened.stdout)).toEqual(expected(figures.whitened));

  const centered = await run(...words, "--whitening-path", "others", "--center-whitening");
  expect(centered.code).toBe(0);
  expect(JSON.parse(centered.stdout).blocks.original).toEqual({ map: 100, microAp: 100 });
  expect(centered.stdout).not.toBe(whitened.stdout);
});

/** A copy of the data set with something wrong. */
function broken(name: string, breakIt: (root: string) => void): string {
  const root = join(folder, name);
  cpSync(join(folder, "copydays"), root, { recursive: true });
  breakIt(root);
  return name;
}
const remove = (path: string) => (root: string) =>
  rmSync(join(root, path), { recursive: true, force: true });

test.each<[string, (root: string) => void, string]>([
  [
    "no folder",
    remove("."),
    "c0: expected a folder with original, and strong, jpegqual/75 or crops/10 and the like, got no folder",
  ],
  [
    "no originals",
    remove("original"),
    "c1/original: expected the originals of Copydays, got no folder",
  ],
  [
    "no copies",
    (root) => {
      remove("strong")(root);
      remove("crops")(root);
    },
    "c2: expected a folder with original, and strong, jpegqual/75 or crops/10 and the like, got original and no copies",
  ],
  [
    "a copy too few",
    remove("crops/50/200300.png"),
    "c3/crops/50: expected a copy of each of the 8 pictures in c3/original, got 7",
  ],
  [
    "an empty block",
    (root) => mkdirSync(join(root, "jpegqual", "75"), { recursive: true }),
    "c4/jpegqual/75: expected pictures such as 200000.jpg, got none",
  ],
])("says what is missing where: %s", (_, breakIt, sentence) => {
  const root = broken(/\bc\d/.exec(sentence)?.[0] as string, breakIt);
  expect(messageOf(folder, () => copydays(join(folder, root)))).toBe(sentence);
});

test("names the folder of distractors that is not there, and the copy that is no picture", {
  timeout: 60_000,
}, async () => {
  const none = await run("--data-path", "copydays", "--distractors-path", "yfcc");
  expect(none.stderr).toContain("dino: yfcc: does not exist");
  const root = broken("spoilt", (path) =>
    writeFileSync(join(path, "strong", nameOf(3, 1)), "no picture"),
  );
  const spoilt = await run("--data-path", root);
  expect(spoilt.stderr).toContain("dino: spoilt/strong/200301.png: ");
  expect(spoilt.code).toBe(1);
  const usage = await run("--data-path", "copydays", "--center-whitening");
  expect(usage.stderr).toContain(
    "dino: --center-whitening: expected --whitening-path with it, got none",
  );
  expect(usage.code).toBe(2);
});
