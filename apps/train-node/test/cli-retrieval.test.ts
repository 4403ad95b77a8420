import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crop, thumbnail } from "@dino/augmentations";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { csvSet } from "../src/retrieval/csv-set.ts";
import { boxView } from "../src/retrieval/query-view.ts";
import { revisitedSet } from "../src/retrieval/revisited-set.ts";
import { figures, madePicture, messageOf, writePng, writeTinyModel } from "./made.ts";
import { sharedDino } from "./shared-dino.ts";

const dino = sharedDino();
const [buildings, views] = [6, 5];
/** Of a query that is view 0: two views are easy, one is hard, one junk. */
const relevances = ["junk", "easy", "easy", "hard", "junk"];

let folder = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dino-cli-retrieval-"));
  await writeTinyModel(join(folder, "tiny.safetensors"));
  const pickle = Buffer.from(figures.pickles[0] as string, "base64");
  const oxford = join(folder, "data", "roxford5k");
  mkdirSync(join(oxford, "jpg"), { recursive: true });
  writeFileSync(join(oxford, "gnd_roxford5k.pkl"), pickle);
  for (let building = 0; building < buildings; building++) {
    for (let view = 0; view < views; view++) {
      const { width, height, data } = pictureOf(building, view);
      await writePng(join(folder, "photos", `b${building}`, `v${view}.png`), {
        ...{ width, height, data },
      });
      const jpeg = sharp(data, { raw: { width, height, channels: 3 } }).jpeg();
      await jpeg.toFile(join(oxford, "jpg", `b${building}v${view}.jpg`));
    }
  }
  writeFileSync(
    join(folder, "same.csv"),
    csv((building, view) => `b${building}/v${view}.png`),
  );
  writeFileSync(
    join(folder, "jpg.csv"),
    csv((building, view) => `b${building}v${view}.jpg`),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

function pictureOf(building: number, view: number) {
  const i = building * views + view;
  return madePicture(70 + 13 * (i % 4), 52 + 9 * (i % 5), building, view);
}

/** Queries are no pictures to be found: they are junk to each other. */
function csv(name: (building: number, view: number) => string): string {
  const lines = ["query,image,relevance"];
  for (let query = 0; query < buildings; query++) {
    for (let view = 1; view < views; view++) {
      lines.push(`${name(query, 0)},${name(query, view)},${relevances[view]}`);
    }
    for (let other = 0; other < buildings; other++) {
      if (other !== query) lines.push(`${name(query, 0)},${name(other, 0)},junk`);
    }
  }
  return `${lines.join("\n")}\n`;
}

const base = "eval retrieval --weights tiny.safetensors --imsize 56 --features-cache kept --json";
const run = (...words: readonly string[]) => dino([...base.split(" "), ...words], { cwd: folder });

/** What the figures' words are in the command's document. */
function expected({ easy, medium, hard }: typeof figures.retrieval) {
  return Object.fromEntries(
    Object.entries({ easy, medium, hard }).map(([name, { map, precision }]) => {
      const [at1, at5, at10] = precision.map((value) => expect.closeTo(value, 6));
      const by = { 1: at1, 5: at5, 10: at10 };
      return [name, { map: expect.closeTo(map, 6), precision: by, queries: buildings }];
    }),
  );
}

test("finds in a folder what PyTorch and Pillow find, in one size and in three", {
  timeout: 120_000,
}, async () => {
  const words = ["--data-path", "photos", "--ground-truth", "same.csv"];
  const one = await run(...words);
  expect(one.stderr).toContain("6 queries, 30 pictures to search");
  expect(JSON.parse(one.stdout)).toEqual(expected(figures.retrieval));
  const three = await run(...words, "--multiscale", "1", "--batch-size-per-gpu", "4");
  expect(JSON.parse(three.stdout)).toEqual(expected(figures.multiscale));

  const again = await run(...words);
  expect(again.stderr).toContain("pictures: all 30 features were there");
  expect(again.stdout).toBe(one.stdout);
});

test("reads ground truth as it is published, in lists and in numpy's arrays", {
  timeout: 180_000,
}, async () => {
  const jpegs = join("data", "roxford5k", "jpg");
  const own = await run("--data-path", jpegs, "--ground-truth", "jpg.csv");
  const file = join(folder, "data", "roxford5k", "gnd_roxford5k.pkl");
  const outcomes = [];
  for (const pickle of figures.pickles) {
    writeFileSync(file, Buffer.from(pickle, "base64"));
    outcomes.push(await run("--data_path", "data", "--dataset", "roxford5k"));
  }
  for (const { stdout, stderr } of outcomes) {
    expect(stderr).toContain("6 queries, 24 pictures to search");
    expect(JSON.parse(stdout)).toEqual(JSON.parse(own.stdout));
  }
  const cropped = await run("--data-path", "data", "--crop-queries");
  expect(cropped.code).toBe(0);
  expect(Object.keys(JSON.parse(cropped.stdout))).toEqual(["easy", "medium", "hard"]);
  expect(cropped.stdout).not.toBe(own.stdout);
});

test("cuts a query to its box, and a box to its picture", () => {
  const picture = madePicture(40, 30, 1, 0);
  const boxes = [
    { left: 10.4, top: 5.6, right: 30, bottom: 28.4 },
    { left: -5, top: 20, right: 90, bottom: 20 },
  ];
  const view = boxView(12, boxes);
  expect(view.apply(picture, 0)).toEqual(
    thumbnail(crop(picture, { left: 10, top: 6, width: 20, height: 22 }), 12),
  );
  expect(view.apply(picture, 1)).toEqual(
    thumbnail(crop(picture, { left: 0, top: 20, width: 40, height: 1 }), 12),
  );
});

test("has one protocol for what is relevant without a grade", { timeout: 60_000 }, async () => {
  writeFileSync(
    join(folder, "plain.csv"),
    "query,image,relevance\nb0/v0.png,b0/v1.png,relevant\nb1/v0.png,b1/v1.png,junk\n",
  );
  const words = ["--data-path", "photos", "--ground-truth", "plain.csv", "--k", "3"];
  const { all, ...others } = JSON.parse((await run(...words)).stdout);
  expect(others).toEqual({});
  expect(all).toEqual({
    map: expect.any(Number),
    precision: { 3: expect.any(Number) },
    queries: 1, // the other has nothing to find
  });
});

test.each<[string, readonly string[], number, string]>([
  [
    "no data set",
    ["--data-path", "photos"],
    1,
    "dino: photos/roxford5k/gnd_roxford5k.pkl: expected the ground truth of roxford5k, got nothing (the pictures are expected in photos/roxford5k/jpg)",
  ],
  [
    "an unknown data set",
    ["--data-path", "data", "--dataset", "holidays"],
    2,
    'dino: --dataset: expected one of roxford5k, rparis6k, got "holidays"',
  ],
  [
    "two ground truths",
    ["--data-path", "photos", "--ground-truth", "same.csv", "--dataset", "rparis6k"],
    2,
    "dino: --ground-truth: expected either it or --dataset rparis6k",
  ],
  [
    "boxes that nobody drew",
    ["--data-path", "photos", "--ground-truth", "same.csv", "--crop-queries"],
    2,
    "dino: --crop-queries: expected ground truth with boxes, got some without",
  ],
  [
    "no file",
    ["--data-path", "photos", "--ground-truth", "none.csv"],
    1,
    "dino: none.csv: expected a CSV file with the columns query,image,relevance, got ENOENT",
  ],
])("says what is wrong with %s", async (_, words, code, sentence) => {
  const outcome = await run(...words);
  expect(outcome.stderr.trimEnd().split("\n").at(-1)).toContain(sentence);
  expect(outcome.stdout).toBe("");
  expect(outcome.code).toBe(code);
});

const lines = (text: string) => `query,image,relevance\n${text}\n`;

test.each([
  [
    "other columns",
    "a,b\n1,2\n",
    'expected the columns query,image,relevance in the first line, got "a,b"',
  ],
  ["no lines", lines(""), "expected lines below the first, got none"],
  [
    "a picture that is not there",
    lines("b0/v0.png,b0/v9.png,junk"),
    'line 2: expected a picture below photos as image, got "b0/v9.png"',
  ],
  [
    "another relevance",
    lines("b0/v0.png,b0/v1.png,good"),
    'line 2: expected relevant, easy, hard, junk as relevance, got "good"',
  ],
  [
    "a contradiction",
    lines("b0/v0.png,b0/v1.png,easy\nb0/v0.png,b0/v1.png,hard"),
    "line 3: expected b0/v1.png to be easy to b0/v0.png as before, got hard",
  ],
  [
    "two vocabularies",
    lines("b0/v0.png,b0/v1.png,easy\nb0/v0.png,b0/v2.png,relevant"),
    "expected relevant, or easy and hard, got both in one file",
  ],
  [
    "a cell too few",
    lines("b0/v0.png,b0/v1.png"),
    "expected a CSV file, got another (Invalid Record Length",
  ],
])("says what is wrong with a CSV file of %s", async (_, text, sentence) => {
  const file = join(folder, "wrong.csv");
  writeFileSync(file, text);
  const failure = await csvSet(join(folder, "photos"), file).catch((error: Error) => error);
  const message = messageOf(folder, () => {
    throw failure;
  });
  expect(message).toMatch(/^wrong\.csv: /);
  expect(message).toContain(sentence);
});

test("names the picture of the data set that is missing, and the pickle that is another", () => {
  const root = join(folder, "partial");
  cpSync(join(folder, "data"), root, { recursive: true });
  const open = () => messageOf(folder, () => revisitedSet(root, "roxford5k"));
  const file = join(root, "roxford5k", "gnd_roxford5k.pkl");
  writeFileSync(file, Buffer.from(figures.pickles[1] as string, "base64"));
  rmSync(join(root, "roxford5k", "jpg", "b2v3.jpg"));
  expect(open()).toBe(
    "partial/roxford5k/jpg/b2v3.jpg: expected a picture of roxford5k, got nothing",
  );
  writeFileSync(file, Buffer.from([0x80, 2, 0x5d, 0x2e])); // an empty list
  expect(open()).toBe(
    "partial/roxford5k/gnd_roxford5k.pkl: expected a dict with imlist, qimlist and gnd, got a list of 0",
  );
  // What calls a function of Python's is refused by its name, and nothing is run.
  writeFileSync(file, Buffer.from("\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.", "latin1"));
  expect(open()).toContain("os.system");
  rmSync(join(root, "roxford5k", "jpg"), { recursive: true });
  expect(open()).toBe("partial/roxford5k/jpg: expected the pictures of roxford5k, got nothing");
  expect(messageOf(folder, () => revisitedSet(root, "rparis6k"))).toContain(
    "partial/rparis6k/gnd_rparis6k.pkl: expected the ground truth of rparis6k, got nothing",
  );
});

test("names the picture that is too small at the size that is asked for", async () => {
  const { stderr, code } = await dino(
    [
      ..."eval retrieval --weights tiny.safetensors --data-path photos".split(" "),
      ..."--ground-truth same.csv --imsize 8 --no-features-cache".split(" "),
    ],
    { cwd: folder },
  );
  expect(stderr).toContain(
    "photos/b0/v0.png: expected 8 x 8 pixels or more at this size, got 8 x 6",
  );
  expect(code).toBe(1);
  expect(readdirSync(folder)).not.toContain("8");
});
