import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { vit } from "@dino/backbones/vit";
import { writeSafetensors } from "@dino/checkpoint/node";
import { key, random } from "@dino/random";
import "@tensorflow/tfjs";
import { setBackend } from "@tensorflow/tfjs-core";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DinoOptions, dino } from "./dino.ts";
import { sharedDino } from "./shared-dino.ts";

const fakeFfmpeg = fileURLToPath(new URL("./fake-ffmpeg.mjs", import.meta.url));
let folder = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dino-cli-look-"));
  await setBackend("cpu");
  const backbone = vit({ embedDim: 24, depth: 2, heads: 3, patchSize: 8, imageSize: 32 });
  await writeSafetensors(join(folder, "model.safetensors"), backbone.init(random(key(0))), {});
  mkdirSync(join(folder, "clip"));
  for (const [i, name] of ["f1", "f10", "f2"].entries()) {
    await picture(50, 41, i).toFile(join(folder, "clip", `${name}.png`));
  }
  await picture(64, 48, 7).toFile(join(folder, "cat.png"));
  await picture(6, 48, 7).toFile(join(folder, "narrow.png"));
  writeFileSync(join(folder, "film.mp4"), "10 90 200\n");
  writeFileSync(join(folder, "broken.mp4"), "no film\n");
});
afterAll(() => rmSync(folder, { recursive: true }));

const picture = (width: number, height: number, seed: number) => {
  const data = Uint8Array.from(
    { length: 3 * width * height },
    (_, i) => (i * (2 * seed + 3)) % 256,
  );
  return sharp(data, { raw: { width, height, channels: 3 } }).png();
};

const shared = sharedDino();
const run = (words: readonly string[], options: Partial<DinoOptions> = {}) => {
  const environment = { FFMPEG_PATH: "no-such-program", ...options.environment };
  const all = [...words, "--weights", "model.safetensors", "--num-heads", "3", "--json"];
  const started = options.when === undefined ? shared : dino;
  return started(all, { cwd: folder, ...options, environment });
};

const document = (text: string) => {
  expect(text.trimEnd().split("\n")).toHaveLength(1);
  return JSON.parse(text);
};

const size = async (file: string) => {
  const { width, height } = await sharp(join(folder, file)).metadata();
  return [width, height];
};

test("draws the frames of a folder in their order, and a GIF of them beside", async () => {
  const words = ["attention", "clip", "--video", "--fps", "3", "--image-size", "24"];
  const { code, stdout } = await run([...words, "--out", "film"]);
  expect(code).toBe(0);
  const { pictures, videos } = document(stdout);
  const kinds = ["mean", "mask", "heads", "sheet"];
  expect(pictures).toEqual(
    ["f1", "f2", "f10"].flatMap((name) => kinds.map((kind) => `film/clip/${name}-${kind}.png`)),
  );
  expect(videos).toEqual(kinds.map((kind) => `film/clip-${kind}.gif`));
  expect(await size("film/clip/f2-mask.png")).toEqual([24, 24]);
  const { pages, delay, width } = await sharp(join(folder, "film/clip-mask.gif"), {
    pages: -1,
  }).metadata();
  expect({ pages, delay, width }).toEqual({ pages: 3, delay: [330, 340, 330], width: 24 });
  for (const page of [0, 1, 2]) {
    const shown = await sharp(join(folder, "film/clip-heads.gif"), { page }).raw().toBuffer();
    const name = ["f1", "f2", "f10"][page];
    const drawn = await sharp(join(folder, `film/clip/${name}-heads.png`))
      .ensureAlpha()
      .raw();
    const bytes = await drawn.toBuffer();
    const off = bytes.reduce((sum, byte, i) => sum + Math.abs(byte - (shown[i] as number)), 0);
    expect(off / bytes.length).toBeLessThan(8);
  }
}, 60_000);

test("leaves out what is done, unless it was done otherwise", async () => {
  const words = ["attention", "cat.png", "--image-size", "32", "--out", "again", "--write", "mean"];
  const file = join(folder, "again", "cat-mean.png");
  // Whole seconds, which every file system keeps.
  const long = new Date(1000 * Math.ceil(Date.now() / 1000 + 1000));
  const when = () => statSync(file).mtimeMs;
  expect((await run(words)).code).toBe(0);
  const first = readFileSync(file);
  utimesSync(file, long, long);
  expect((await run(words)).code).toBe(0);
  expect(when()).toBe(long.getTime());
  expect((await run([...words, "--block", "0"])).code).toBe(0);
  expect(when()).toBeLessThan(long.getTime());
  expect(readFileSync(file)).not.toEqual(first);
  expect(JSON.parse(readFileSync(join(folder, "again", "attention.json"), "utf8"))).toMatchObject({
    block: 0,
    threshold: 0.6,
    imageSize: "32",
    weights: { file: join(folder, "model.safetensors") },
  });
}, 60_000);

test("stops after a picture when it is asked to, and goes on from there", async () => {
  mkdirSync(join(folder, "many"));
  for (let i = 0; i < 40; i++) {
    await picture(50, 40, i).toFile(join(folder, "many", `${i}.png`));
  }
  const words = ["attention", "many", "--video", "--image-size", "32", "--out", "stopped"];
  const stopped = await run(words, {
    when: ["depth 2", (child) => child.kill("SIGINT")],
  });
  expect(stopped.code).toBe(130);
  expect(stopped.stderr).toMatch(/stopped early: the same command goes on from here\n$/);
  const { pictures, videos } = document(stopped.stdout);
  expect(videos).toEqual([]);
  expect(pictures.length).toBeLessThan(160);
  const files = () => readdirSync(join(folder, "stopped"), { recursive: true }).map(String);
  const drawn = () => files().filter((name) => name.endsWith(".png"));
  expect(drawn()).toHaveLength(pictures.length);
  expect(files().filter((name) => name.includes(".part"))).toEqual([]);

  const resumed = await run(words);
  expect(resumed.code).toBe(0);
  expect(document(resumed.stdout).videos).toHaveLength(4);
  expect(drawn()).toHaveLength(160);
}, 120_000);

test("reads and writes video files through ffmpeg", async () => {
  const environment = { FFMPEG_PATH: fakeFfmpeg };
  const words = ["attention", "film.mp4", "--image-size", "16", "--out", "seen", "--write", "mean"];
  const { code, stdout } = await run(words, { environment });
  expect(code).toBe(0);
  const frames = [1, 2, 3].map((i) => `seen/film/frame-000${i}-mean.png`);
  expect(document(stdout)).toEqual({ pictures: frames, videos: ["seen/film-mean.mp4"] });
  expect(await size("seen/film/frame-0003-mean.png")).toEqual([16, 16]);
  const bytes = frames.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
  expect(readFileSync(join(folder, "seen/film-mean.mp4"), "utf8")).toBe(`${bytes} bytes at 5`);
}, 60_000);

test("colours patches by their components, on one basis", async () => {
  const words = ["pca", "cat.png", "clip", "--image-size", "32", "--out", "pca"];
  const { code, stdout } = await run([...words, "--foreground", "0.1"]);
  expect(code).toBe(0);
  const { pictures, explained } = document(stdout);
  const names = ["cat", "f1", "f10", "f2"];
  expect(pictures).toEqual(
    names.flatMap((name) => ["pca", "pair"].map((kind) => `pca/${name}-${kind}.png`)),
  );
  expect(explained).toHaveLength(3);
  expect(await size("pca/cat-pca.png")).toEqual([40, 32]);
  expect(await size("pca/cat-pair.png")).toEqual([4 + 2 * 44, 40]);
  const { channels } = await sharp(join(folder, "pca/cat-pca.png")).stats();
  expect(channels.every(({ min, max }) => max > min)).toBe(true);
}, 60_000);

test("shows which patches are alike", async () => {
  const words = ["similarity", "cat.png", "clip/f1.png", "--image-size", "32", "--out", "alike"];
  const { code, stdout } = await run([...words, "--point", "63,1"]);
  expect(code).toBe(0);
  expect(document(stdout).pictures).toEqual(
    ["cat", "f1"].flatMap((name) =>
      ["similarity", "overlay"].map((kind) => `alike/${name}-${kind}.png`),
    ),
  );
  const drawn = sharp(join(folder, "alike/cat-similarity.png"));
  const { data, info } = await drawn.raw().toBuffer({ resolveWithObject: true });
  // The point is in the rest beyond the last patch, and nothing is as like a patch as itself.
  const last = 3 * (info.width - 1);
  expect([...data.subarray(last, last + 3)]).toEqual([254, 231, 35]);
  expect([...data.subarray(0, 3)]).not.toEqual([254, 231, 35]);
}, 60_000);

test.each<[string, string[], number, RegExp]>([
  [
    "a video without ffmpeg",
    ["attention", "film.mp4"],
    1,
    /^dino: film\.mp4: expected ffmpeg on the PATH .*, got none: install it, or give a folder of frames with --video$/,
  ],
  [
    "an MP4 without ffmpeg",
    ["attention", "clip", "--video", "--video-format", "mp4"],
    1,
    /^dino: --video-format mp4: expected ffmpeg/,
  ],
  [
    "a missing video",
    ["attention", "none.mp4"],
    1,
    /^dino: none\.mp4: expected a video, got nothing/,
  ],
  [
    "a picture narrower than a patch",
    ["attention", "narrow.png", "--image-size", "original"],
    1,
    /^dino: narrow\.png: expected at least one patch of 8 x 8 pixels, got 6 x 48/,
  ],
  [
    "an unknown kind",
    ["attention", "cat.png", "--write", "all"],
    2,
    /^dino: --write: expected some of head,head-mask,mean,mask,heads,sheet, got "all"/,
  ],
  [
    "a block that is not there",
    ["attention", "cat.png", "--block", "2"],
    2,
    /^dino: --block: expected a number from 0 to 1, got 2/,
  ],
  [
    "a size below a patch",
    ["attention", "cat.png", "--image-size", "7"],
    2,
    /^dino: --image-size: expected at least the model's patch of 8, got 7/,
  ],
  [
    "a size that is none",
    ["attention", "cat.png", "--image-size", "large"],
    2,
    /^dino: --image-size: expected a whole number of pixels from 1/,
  ],
  [
    "a point outside",
    ["similarity", "cat.png", "--point", "64,0"],
    2,
    /^dino: --point: expected one within cat\.png, 64 x 48 pixels, got 64,0/,
  ],
  [
    "a point that is none",
    ["similarity", "cat.png", "--point", "left"],
    2,
    /^dino: --point: expected two numbers with a comma/,
  ],
  [
    "too few patches",
    ["pca", "cat.png", "--image-size", "8"],
    1,
    /^dino: pictures: expected at least 4 patches, got 1/,
  ],
  [
    "a foreground of nothing",
    ["pca", "cat.png", "--foreground", "1"],
    2,
    /^dino: --foreground: expected a number of at least 0 and below 1/,
  ],
])(
  "says it in one sentence: %s",
  async (_, words, code, sentence) => {
    const environment = words.includes("none.mp4") ? { FFMPEG_PATH: fakeFfmpeg } : {};
    const outcome = await run([...words, "--out", "unused"], { environment });
    expect(outcome.stderr.trimEnd().split("\n").at(-1)).toMatch(sentence);
    expect(outcome.stdout).toBe("");
    expect(outcome.code).toBe(code);
  },
  60_000,
);

test("says what ffmpeg says of a file that it cannot read", async () => {
  const outcome = await run(["attention", "broken.mp4"], {
    environment: { FFMPEG_PATH: fakeFfmpeg },
  });
  expect(outcome.code).toBe(1);
  expect(outcome.stderr).toMatch(
    /dino: broken\.mp4: expected a video, got none that ffmpeg reads \(Error opening input file broken\.mp4\.\)/,
  );
}, 60_000);
