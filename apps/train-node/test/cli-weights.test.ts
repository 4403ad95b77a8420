import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { decodeNpy, encodeSafetensors, type TensorData } from "@dino/checkpoint";
import { openCheckpoint, writePytorch } from "@dino/checkpoint/node";
import { goldensFolder } from "@dino/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tiny } from "./dino.ts";
import { writePictures } from "./pictures.ts";
import { sharedDino } from "./shared-dino.ts";

const dino = sharedDino();

let folder = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dino-cli-weights-"));
  await writePictures(join(folder, "photos"), { count: 6 });
  for (const name of ["dino_zip.pth", "dino_legacy.pth"]) {
    copyFileSync(resolve(goldensFolder(), "checkpoints", name), join(folder, name));
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = async (...words: string[]) => {
  const outcome = await dino(words, { cwd: folder });
  expect(outcome.stderr).not.toMatch(/^dino: /m);
  expect(outcome.code).toBe(0);
  return outcome;
};
const fails = async (...words: string[]) => {
  const outcome = await dino(words, { cwd: folder });
  expect(outcome.stdout).toBe("");
  expect(outcome.code).not.toBe(0);
  return outcome.stderr.slice(outcome.stderr.indexOf("dino: "));
};
const convert = async (...words: string[]) =>
  JSON.parse((await run("convert", ...words, "--json")).stdout);

/** Features of all photos, of a form of the weights. */
async function features(weights: string, ...flags: string[]): Promise<Float32Array> {
  const out = ["features", weights, ...flags].join("-").replace(/\W/g, "-");
  await run("features", "photos", "--weights", weights, "--out", out, "--format", "npy", ...flags);
  return decodeNpy(readFileSync(join(folder, out, "features.npy"))).data as Float32Array;
}

function expectSame(actual: Float32Array, expected: Float32Array): void {
  expect(actual.length).toBe(expected.length);
  const scale = Math.max(...expected.map(Math.abs));
  const worst = Math.max(...actual.map((value, i) => Math.abs(value - (expected[i] as number))));
  expect(worst / scale).toBeLessThanOrEqual(1e-5);
}

test("a published file in every form gives the same features, k-NN and attention", {
  timeout: 600_000,
}, async () => {
  const heads = ["--num-heads", "6"]; // 8 wide, which neither tensors nor the reference's args tell
  const source = ["dino_zip.pth", ...heads];
  expect(await convert(...source, "--out", "all.safetensors")).toMatchObject({
    what: "backbone",
    format: "safetensors",
    files: ["all.safetensors"],
    report: { naming: "DINO", prefix: "teacher.backbone.", missing: [], unexpected: [] },
  });
  await convert(...source, "--out", "backbone.pth");
  await convert(...source, "--out", "hf", "--format", "hf");
  await convert(...source, "--out", "timm", "--format", "timm");
  await convert(...source, "--out", "full.pth", "--full");
  await convert(...source, "--out", "full.safetensors", "--full");
  // And from each other's.
  const back = await convert("hf", "--out", "back.pth");
  expect(back.report.naming).toBe("Hugging Face ViT");
  expect(back.report.renamed.length).toBe(back.tensors);
  await convert("back.pth", "--out", "again", "--format", "timm", ...heads);

  const expected = await features("dino_zip.pth", ...heads);
  const knn = async (...weights: string[]) =>
    (await run("eval", "knn", "--train", "photos", "--k", "3", "--json", "--weights", ...weights))
      .stdout;
  const attention = async (weights: string, ...flags: string[]) => {
    const out = `attention-${weights.replace(/\W/g, "-")}`;
    const picture = ["photos/blue/0.png", "--image-size", "32", "--out", out];
    await run("attention", ...picture, "--weights", weights, ...flags);
    const drawn = readdirSync(join(folder, out)).filter((name) => name.endsWith(".png"));
    return drawn.map((name) => [name, readFileSync(join(folder, out, name)).toString("base64")]);
  };
  const expectedKnn = await knn("dino_zip.pth", ...heads);
  const expectedAttention = await attention("dino_zip.pth", ...heads);
  expect(expectedAttention.length).toBeGreaterThan(9);
  for (const [weights, ...flags] of [
    ["dino_legacy.pth", ...heads],
    ["full.pth", ...heads],
    ["full.safetensors", ...heads],
    ["all.safetensors"],
    ["backbone.pth", ...heads],
    ["hf"],
    ["timm"],
    ["back.pth", ...heads],
    ["again"],
  ] as [string, ...string[]][]) {
    expectSame(await features(weights, ...flags), expected);
    expect(await attention(weights, ...flags)).toEqual(expectedAttention);
  }
  for (const weights of ["all.safetensors", "hf", "timm"]) {
    expect(await knn(weights)).toBe(expectedKnn);
  }
});

test("arguments, epoch and centre of a training run go both ways", async () => {
  const source = await openCheckpoint(join(folder, "dino_zip.pth"));
  await convert("dino_zip.pth", "--out", "there.safetensors", "--full");
  await convert("there.safetensors", "--out", "back-again.pth", "--full");
  const back = await openCheckpoint(join(folder, "back-again.pth"));
  expect(back.data).toEqual({ epoch: source.data.epoch, args: source.data.args });
  const names = [...source.tensors.keys()].filter((name) => /^(student|teacher)\./.test(name));
  expect([...back.tensors.keys()]).toEqual(expect.arrayContaining(names));
  for (const name of names) expect(await back.read(name)).toEqual(await source.read(name));
});

test("a run becomes the reference's checkpoint", { timeout: 120_000 }, async () => {
  const length = ["--epochs", "6steps", "--warmup-epochs", "2steps"];
  await run("train", "photos", ...tiny, ...length, "--output-dir", "six");
  expect(await convert("six", "--out", "six.pth", "--full")).toEqual({
    from: "six",
    out: "six.pth",
    format: "pth",
    what: "full",
    files: ["six.pth"],
    tensors: expect.any(Number),
  });
  const { tensors, data } = await openCheckpoint(join(folder, "six.pth"));
  expect(tensors.get("student.module.backbone.cls_token")?.shape).toEqual([1, 1, 24]);
  expect(tensors.get("teacher.head.last_layer.weight_g")?.shape).toEqual([32, 1]);
  expect(tensors.get("dino_loss.center")?.shape).toEqual([1, 32]);
  expect(data).toMatchObject({
    epoch: 2, // 12 pictures in batches of 4
    args: { arch: "vit_tiny", patch_size: 8, global_crops_scale: [0.4, 1], freeze_last_layer: 1 },
  });
  const teacher = await features("six.pth"); // its args tell the heads
  expectSame(teacher, await features("six"));
  const student = ["--checkpoint-key", "student"];
  await convert("six.pth", ...student, "--out", "student.safetensors");
  const other = await features("student.safetensors");
  expectSame(await features("six.pth", ...student), other);
  expect([...other]).not.toEqual([...teacher]);
  await rejectsPartial();
});

/** A file that lacks something, has something too much, or positions of another grid. */
async function rejectsPartial(): Promise<void> {
  const exported = await openCheckpoint(join(folder, "six/exported/backbone.safetensors"));
  const tensors: Record<string, TensorData> = {};
  for (const name of exported.tensors.keys()) tensors[name] = await exported.read(name);
  const { "norm.bias": _, pos_embed: __, ...rest } = tensors;
  const write = (name: string, entries: Record<string, TensorData>) =>
    writeFileSync(
      join(folder, name),
      Buffer.concat([...encodeSafetensors(entries, exported.metadata)]),
    );
  const float = (shape: readonly number[]): TensorData => {
    const length = shape.reduce((a, b) => a * b, 1);
    return { dtype: "F32", shape, data: new Float32Array(length).fill(0.5) };
  };
  write("partial.safetensors", {
    ...rest,
    pos_embed: tensors.pos_embed as TensorData,
    extra: float([1]),
  });
  expect(await fails("features", "photos", "--weights", "partial.safetensors")).toBe(
    [
      "dino: partial.safetensors: expected the module's 30 parameters, got others",
      "  missing (1): norm.bias",
      "  unexpected (1): extra",
      "",
    ].join("\n"),
  );
  const partial = ["--weights", "partial.safetensors", "--allow-partial"];
  const { stderr } = await run("features", "photos", ...partial);
  expect(stderr).toContain("missing, so begun at random (1): norm.bias");
  expect(stderr).toContain("ignored (1): extra");

  const train = (...words: string[]) => [
    "train",
    "photos",
    ...tiny,
    ...["--epochs", "1steps", "--warmup-epochs", "0", "--output-dir", "begun"],
    ...words,
  ];
  expect(await fails(...train("--init-weights", "partial.safetensors"))).toMatch(
    /^dino: partial.safetensors: expected .*\n {2}missing \(1\): norm.bias\n {2}unexpected \(1\): extra\n$/,
  );
  expect(existsSync(join(folder, "begun"))).toBe(false);
  const begun = await run(
    ...train("--init-weights", "partial.safetensors", "--allow-partial", "true"),
  );
  expect(begun.stderr).toContain("partial.safetensors: begun with 29 tensors of it");

  await run("convert", "six", "--out", "six-hf", "--format", "hf");
  const large = ["--global-crops-size", "48", "--output-dir", "large", "--init-weights", "six-hf"];
  expect(await fails(...train(...large))).toContain(
    "of another shape (1): pos_embed expected [1, 37, 24], got [1, 17, 24]",
  );
  const grown = await run(...train(...large, "--interpolate-positions", "true"));
  expect(grown.stderr).toContain("interpolated: pos_embed from [1, 17, 24] to [1, 37, 24]");
  expect(grown.stderr).toContain("renamed (30, 4 of them joined): the names of Hugging Face ViT");
}

test("a linear classifier of the reference's goes both ways", async () => {
  const weight: TensorData = {
    dtype: "F32",
    shape: [3, 2],
    data: Float32Array.of(1, 2, 3, 4, 5, 6),
  };
  const bias: TensorData = { dtype: "F32", shape: [3], data: Float32Array.of(7, 8, 9) };
  await writePytorch(join(folder, "linear.pth.tar"), {
    epoch: 7,
    state_dict: new Map([
      ["module.linear.weight", weight],
      ["module.linear.bias", bias],
    ]),
    best_acc: 76.5,
  });
  expect(await convert("linear.pth.tar", "--out", "linear.safetensors")).toMatchObject({
    what: "linear",
    tensors: 2,
  });
  await convert("linear.safetensors", "--out", "linear-back.pth.tar");
  const [there, back] = [
    await openCheckpoint(join(folder, "linear.safetensors")),
    await openCheckpoint(join(folder, "linear-back.pth.tar")),
  ];
  expect([...there.tensors.keys()]).toEqual(["linear.bias", "linear.weight"]);
  expect(await back.read("state_dict.module.linear.weight")).toEqual(weight);
  expect(await back.read("state_dict.module.linear.bias")).toEqual(bias);
  expect(back.data).toEqual({ epoch: 7, best_acc: 76.5 });
});

test("nothing half-written remains, and every refusal says what is expected", async () => {
  mkdirSync(join(folder, "full-folder"));
  writeFileSync(join(folder, "full-folder", "own.txt"), "mine");
  writeFileSync(
    join(folder, "broken.pth"),
    readFileSync(join(folder, "dino_zip.pth")).subarray(0, 5000),
  );
  const before = readdirSync(folder).sort();
  const heads = ["--num-heads", "6"];
  const refusals: [string[], string | RegExp][] = [
    [["dino_zip.pth", "--out", "x"], "--out: expected a name that ends in .safetensors or .pth"],
    [
      ["dino_zip.pth", "--out", "x", "--format", "keras"],
      '--format: expected one of hf, timm, got "keras"',
    ],
    [
      ["dino_zip.pth", "--out", "x.pth", "--format", "hf"],
      "--out: expected a folder for --format hf, got x.pth",
    ],
    [
      ["dino_zip.pth", "--out", "x", "--format", "hf", "--full"],
      "--full: expected a file to write to",
    ],
    [
      ["dino_zip.pth", "--out", "x.pth"],
      "--num-heads: expected the number of heads of dino_zip.pth",
    ],
    [
      ["dino_zip.pth", "--out", "full-folder", "--format", "hf", ...heads],
      "full-folder: expected nothing or an empty folder there, got a folder with files in it",
    ],
    [
      ["dino_zip.pth", "--out", "none/x.pth", ...heads],
      "none/x.pth: expected to write a checkpoint, got ENOENT",
    ],
    [["broken.pth", "--out", "x.pth", ...heads], /^dino: broken.pth: expected/],
    [
      ["photos", "--out", "x.pth"],
      "photos: expected a run or a model with checkpoints/last.safetensors, ",
    ],
    [["none.pth", "--out", "x.pth"], "none.pth: expected a run or a file of weights, got nothing"],
  ];
  for (const [words, message] of refusals)
    expect(await fails("convert", ...words)).toMatch(message);
  expect(readdirSync(folder).sort()).toEqual(before);
  expect(readdirSync(join(folder, "full-folder"))).toEqual(["own.txt"]);
});
