import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resnet } from "@dino/backbones/resnet";
import { vit } from "@dino/backbones/vit";
import { writeSafetensors } from "@dino/checkpoint/node";
import { key, random } from "@dino/random";
import "@tensorflow/tfjs";
import { encodeLabelPng } from "@dino/visualization";
import { setBackend } from "@tensorflow/tfjs-core";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sharedDino } from "./shared-dino.ts";

const dino = sharedDino();
let folder = "";

/** A square of another colour on noise, and where it is. */
async function writeScene(name: string, left: number, value: number): Promise<void> {
  const [width, height] = [64, 48];
  const inside = (pixel: number) => {
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    return x >= left && x < left + 24 && y >= 8 && y < 32;
  };
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) =>
    inside(Math.floor(i / 3)) ? 20 + (i % 3) * 90 : (i * 7919) % 251,
  );
  const raw = { width, height, channels: 3 } as const;
  await sharp(data, { raw })
    .png()
    .toFile(join(folder, "images", `${name}.png`));
  const labels = Uint8Array.from({ length: width * height }, (_, i) => (inside(i) ? value : 0));
  labels[0] = 255;
  writeFileSync(
    join(folder, "masks", `${name}.png`),
    encodeLabelPng({ width, height, data: labels }),
  );
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dino-cli-export-"));
  await setBackend("cpu");
  const backbone = vit({ embedDim: 24, depth: 2, heads: 3, patchSize: 8, imageSize: 32 });
  await writeSafetensors(join(folder, "model.safetensors"), backbone.init(random(key(0))), {});
  await writeSafetensors(
    join(folder, "resnet.safetensors"),
    resnet("resnet18").init(random(key(0))),
    {},
  );
  for (const name of ["images", "masks", "empty"]) mkdirSync(join(folder, name));
  await writeScene("a", 8, 15);
  await writeScene("b", 32, 1);
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = (words: readonly string[]) =>
  dino([...words, "--weights", "model.safetensors", "--num-heads", "3", "--json"], { cwd: folder });

test("writes an ONNX file for the size of picture that is asked for", async () => {
  const { code, stdout } = await run([
    "export",
    "--onnx",
    "out/model.onnx",
    "--image-size",
    "40,24",
  ]);
  expect(code).toBe(0);
  const written = JSON.parse(stdout);
  expect(written).toEqual({
    file: "out/model.onnx",
    bytes: statSync(join(folder, "out/model.onnx")).size,
    opset: 13,
    inputs: [{ name: "images", shape: [-1, 3, 40, 24] }],
    outputs: [
      { name: "class_token", shape: [-1, 24] },
      { name: "patch_tokens", shape: [-1, 15, 24] },
      { name: "attention", shape: [-1, 3, 16, 16] },
    ],
  });
  expect(readdirSync(join(folder, "out")).filter((name) => /part/.test(name))).toEqual([]);
}, 60_000);

test("writes a ResNet for pictures of any size", async () => {
  const words = [
    "export",
    "--weights",
    "resnet.safetensors",
    "--onnx",
    "out/resnet.onnx",
    "--json",
  ];
  const { code, stdout } = await dino(words, { cwd: folder });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    inputs: [{ name: "images", shape: [-1, 3, -1, -1] }],
    outputs: [
      { name: "features", shape: [-1, 512] },
      { name: "feature_map", shape: [-1, 512, -1, -1] },
    ],
  });
  const sized = await dino([...words, "--image-size", "64"], { cwd: folder });
  expect(sized.code).toBe(2);
  expect(sized.stderr).toMatch(
    /^dino: --image-size: expected none for resnet18, which takes pictures of any size$/m,
  );
}, 60_000);

test("measures attention masks against segmentations, all or those of a list", async () => {
  const words = ["eval", "jaccard", "--images", "images", "--masks", "masks", "--image-size", "48"];
  const all = JSON.parse((await run(words)).stdout);
  expect(all.pictures).toBe(2);
  expect(all.heads).toHaveLength(3);
  expect(all.best).toBeGreaterThanOrEqual(Math.max(...all.heads));
  // Masks of all that attention there is keep everything: the object's share of the picture.
  const { best, mean } = JSON.parse((await run([...words, "--threshold", "1"])).stdout);
  expect(mean).toBeCloseTo((100 * 24 * 24) / (64 * 48 - 1), 6);
  expect(best).toBeCloseTo(mean, 6);
  const ignoring = JSON.parse((await run([...words, "--threshold", "1", "--ignore", "15"])).stdout);
  expect(ignoring.mean).toBeCloseTo(((100 * 577) / (64 * 48) + (100 * 1) / (64 * 48 - 576)) / 2, 6);

  writeFileSync(join(folder, "list.txt"), "b\n");
  const one = JSON.parse((await run([...words, "--list", "list.txt"])).stdout);
  expect(one.pictures).toBe(1);
  writeFileSync(join(folder, "wrong.txt"), "c\n");
  const wrong = await run([...words, "--list", "wrong.txt"]);
  expect(wrong.stderr).toMatch(
    /^dino: images: expected a picture c \(\.jpg, \.png, \.\.\.\), got none$/m,
  );
}, 120_000);

test.each<[string, string[], number, RegExp]>([
  ["no file", ["export"], 2, /^dino: required option '--onnx <file>' not specified/],
  [
    "a size that pictures have not",
    ["export", "--onnx", "x.onnx", "--image-size", "original"],
    2,
    /^dino: --image-size: expected a number of pixels, or rows,columns, got original/,
  ],
  [
    "a size below a patch",
    ["export", "--onnx", "x.onnx", "--image-size", "7"],
    2,
    /^dino: --image-size: expected at least the model's patch of 8, got 7/,
  ],
  [
    "a file in the way",
    ["export", "--onnx", "model.safetensors/x.onnx"],
    1,
    /^dino: .*expected a folder that can be written/,
  ],
  [
    "no masks",
    ["eval", "jaccard", "--images", "images", "--masks", "empty"],
    1,
    /^dino: empty: expected masks, PNG files, got 0 other files/,
  ],
  [
    "no folder of masks",
    ["eval", "jaccard", "--images", "images", "--masks", "none"],
    1,
    /^dino: none: expected a folder of masks, PNG files, got none/,
  ],
  [
    "no pictures",
    ["eval", "jaccard", "--images", "empty", "--masks", "masks"],
    1,
    /^dino: empty: has no pictures/,
  ],
  [
    "a list that is missing",
    ["eval", "jaccard", "--images", "images", "--masks", "masks", "--list", "no.txt"],
    1,
    /^dino: no\.txt: expected a list of names, got nothing/,
  ],
])(
  "says it in one sentence: %s",
  async (_, words, code, sentence) => {
    const outcome = await run(words);
    expect(outcome.stderr.trimEnd().split("\n").at(-1)).toMatch(sentence);
    expect(outcome.stdout).toBe("");
    expect(outcome.code).toBe(code);
    expect(readdirSync(folder)).not.toContain("x.onnx");
  },
  60_000,
);
