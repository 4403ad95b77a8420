import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeLabelPng, encodeLabelPng, type Labels } from "@dino/visualization";
import { afterAll, beforeAll, expect, test } from "vitest";
import { davisVideos } from "../src/video/davis-videos.ts";
import { dino } from "./dino.ts";
import { figures, madePicture, messageOf, writePng, writeTinyModel } from "./made.ts";
import { sharedDino } from "./shared-dino.ts";

const [width, height, frames] = [150, 80, 6];
const frameName = (t: number, ending: string) => `${String(t).padStart(5, "0")}.${ending}`;
const scores = figures.video.objects;

let folder = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dino-cli-video-"));
  await writeTinyModel(join(folder, "tiny.safetensors"));
  const root = join(folder, "davis");
  mkdirSync(join(root, "ImageSets", "2017"), { recursive: true });
  writeFileSync(join(root, "ImageSets", "2017", "val.txt"), "moving\n");
  mkdirSync(join(root, "Annotations", "480p", "moving"), { recursive: true });
  for (let t = 0; t < frames; t++) {
    await writePng(join(root, "JPEGImages", "480p", "moving", frameName(t, "png")), frame(t));
    const mask = encodeLabelPng(objects(t));
    writeFileSync(join(root, "Annotations", "480p", "moving", frameName(t, "png")), mask);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A disc that moves to the right, and a box that moves up. */
function objects(t: number): Labels {
  const data = Uint8Array.from({ length: width * height }, (_, at) => {
    const [x, y] = [at % width, Math.floor(at / width)];
    if (Math.abs(x - 110) < 18 && Math.abs(y - 50 + 4 * t) < 16) return 2;
    return (x - 40 - 5 * t) ** 2 + (y - 40) ** 2 < 400 ? 1 : 0;
  });
  return { width, height, data };
}

function frame(t: number) {
  const scenes = [0, 1, 4].map((scene) => madePicture(width, height, scene, t).data);
  const labels = objects(t).data;
  const data = Uint8Array.from(scenes[0] as Uint8Array, (_, at) => {
    return scenes[labels[Math.floor(at / 3)] as number]?.[at] as number;
  });
  return { width, height, data };
}

const words = (root: string, out: string) => [
  ..."eval video-segmentation --weights tiny.safetensors --image-size 64".split(" "),
  ..."--n_last_frames 2 --size_mask_neighborhood 2 --topk 3".split(" "),
  ...["--data_path", root, "--output_dir", out, "--json"],
];
const shared = sharedDino();
const run = (...words: readonly string[]) => shared(words, { cwd: folder });
const close = (value: number) => expect.closeTo(value, 6);

test("follows objects as PyTorch, OpenCV and Pillow do, and scores them as the benchmark", {
  timeout: 120_000,
}, async () => {
  const { code, stdout } = await run(...words("davis", "out"));
  expect(code).toBe(0);
  const document = JSON.parse(stdout);
  expect(document.folder).toBe("out");
  expect(document.videos).toEqual([
    {
      name: "moving",
      frames,
      folder: join("out", "moving"),
      objects: scores.map(({ mean, region, boundary }) => ({
        mean: close(mean),
        region: { mean: close(region.mean), recall: region.recall, decay: close(region.decay) },
        boundary: {
          mean: close(boundary.mean),
          recall: boundary.recall,
          decay: close(boundary.decay),
        },
      })),
    },
  ]);
  const means = scores.map(({ mean }) => mean);
  expect(document.scores.mean).toBeCloseTo(means.reduce((a, b) => a + b) / means.length, 6);

  const written = readdirSync(join(folder, "out", "moving"));
  expect(written).toEqual(Array.from({ length: frames }, (_, t) => frameName(t, "png")));
  const pixels = written.map((name) => {
    const { data } = decodeLabelPng(readFileSync(join(folder, "out", "moving", name)));
    return [1, 2].map((label) => data.filter((own) => own === label).length);
  });
  expect(pixels).toEqual(figures.video.pixels);
  expect(readdirSync(join(folder, "out"))).toEqual(["moving", "segmentation.json"]);

  const again = await run(...words("davis", "out"));
  expect(again.stderr).toContain("out: 1 videos were segmented before");
  expect(JSON.parse(again.stdout)).toEqual(document);
  const other = await run(...words("davis", "out"), "--temperature", "0.2");
  expect(other.code).toBe(1);
  expect(other.stderr).toContain(
    "dino: out: expected segmentations of this model with these settings, got others",
  );
});

test("segments videos that have no more masks than they need, and leaves them unscored", {
  timeout: 60_000,
}, async () => {
  const root = join(folder, "first");
  cpSync(join(folder, "davis"), root, { recursive: true });
  rmSync(join(root, "Annotations", "480p", "moving", frameName(2, "png")));
  const { code, stdout, stderr } = await run(...words("first", "first-out"));
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ scores: null, videos: [{ objects: null }] });
  expect(stderr).toContain("not scored, for want of masks: moving");
});

test("leaves nothing half-written when it is stopped", { timeout: 60_000 }, async () => {
  const outcome = await dino(words("davis", "stopped"), {
    cwd: folder,
    when: ["tiny.safetensors: width", (child) => child.kill("SIGINT")],
  });
  // It may have been done before the signal came.
  const made = ["segmentation.json", ...(outcome.code === 0 ? ["moving"] : [])].sort();
  expect([0, 130]).toContain(outcome.code);
  if (existsSync(join(folder, "stopped"))) {
    expect(readdirSync(join(folder, "stopped")).sort()).toEqual(made);
  }
});

/** A copy of the data set with something wrong. */
function broken(name: string, breakIt: (root: string) => void): string {
  const root = join(folder, name);
  cpSync(join(folder, "davis"), root, { recursive: true });
  breakIt(root);
  return name;
}
const remove = (path: string) => (root: string) =>
  rmSync(join(root, path), { recursive: true, force: true });

test.each<[string, (root: string) => void, string]>([
  ["no folder", remove("."), "b0: expected a folder with JPEGImages/480p/VIDEO/00000.jpg"],
  [
    "no pictures",
    remove("JPEGImages"),
    "b1/JPEGImages/480p: expected a folder of frames for each video, got none",
  ],
  [
    "no masks",
    remove("Annotations"),
    "b2/Annotations/480p: expected a folder of masks for each video, got none",
  ],
  [
    "no list",
    remove("ImageSets"),
    "b3/ImageSets/2017/val.txt: expected a list of videos, a name a line, got none (--image-set all takes every folder of b3/JPEGImages/480p)",
  ],
  [
    "a video without a folder",
    remove("JPEGImages/480p/moving"),
    "b4/JPEGImages/480p/moving: expected the frames of a video, got none",
  ],
  [
    "no first mask",
    remove("Annotations/480p/moving/00000.png"),
    "b5/Annotations/480p/moving/00000.png: expected the mask of the first frame of moving, got nothing",
  ],
  [
    "one frame",
    (root) => {
      for (let t = 1; t < frames; t++) {
        remove(`JPEGImages/480p/moving/${frameName(t, "png")}`)(root);
      }
    },
    "b6/JPEGImages/480p/moving: expected frames such as 00000.jpg and 00001.jpg, got 1 of them",
  ],
  [
    "a name that leads elsewhere",
    (root) => writeFileSync(join(root, "ImageSets/2017/val.txt"), "../moving\n"),
    'b7/ImageSets/2017/val.txt: expected names of folders, got "../moving"',
  ],
])("says what is missing where: %s", (_, breakIt, sentence) => {
  const root = broken(/\bb\d/.exec(sentence)?.[0] as string, breakIt);
  expect(messageOf(folder, () => davisVideos(join(folder, root)))).toContain(sentence);
});

test("ends with one sentence, 1, and no folder where there is no data set", async () => {
  const { code, stdout, stderr } = await run(...words("nowhere", "nowhere-out"));
  expect(stderr).toMatch(/^dino: nowhere: expected a folder with JPEGImages\/480p.*\n$/);
  expect(stdout).toBe("");
  expect(code).toBe(1);
  expect(existsSync(join(folder, "nowhere-out"))).toBe(false);
});

test("names the mask that is a picture, and the frame that is of another size", {
  timeout: 60_000,
}, async () => {
  const colored = broken("colored", () => {});
  const mask = join(folder, colored, "Annotations/480p/moving/00000.png");
  await writePng(mask, madePicture(width, height, 0, 0));
  const painted = await run(...words(colored, "colored-out"));
  expect(painted.stderr).toContain(
    "colored/Annotations/480p/moving/00000.png: expected a PNG with a palette or of 8-bit greys, whose numbers are objects, got 3 channels of 8 bits",
  );
  const uneven = broken("uneven", () => {});
  await writePng(join(folder, uneven, "JPEGImages/480p/moving/00003.png"), madePicture(9, 9, 0, 0));
  const cut = await run(...words(uneven, "uneven-out"));
  expect(cut.stderr).toContain(
    "uneven/JPEGImages/480p/moving/00003.png: expected 150 x 80 pixels as in uneven/Annotations/480p/moving/00000.png, got 9 x 9",
  );
  expect(readdirSync(join(folder, "uneven-out"))).toEqual(["segmentation.json"]);
});

test("says why a flag of the reference is none here", async () => {
  const { code, stderr } = await run(...words("davis", "none"), "--bs", "6");
  expect(code).toBe(2);
  expect(stderr).toContain("dino: --bs: frames are seen one by one");
});
