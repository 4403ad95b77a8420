import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { UsageError } from "../src/errors.ts";
import { resolveSettings, type TrainRequest } from "../src/run/resolve-settings.ts";
import { epochs, percent } from "../src/settings/duration.ts";
import { normalizeFlags } from "../src/settings/flags.ts";
import {
  environmentLayer,
  fileLayer,
  flagLayer,
  resolve,
  unknownVariables,
} from "../src/settings/layers.ts";
import { configYaml, numberSettings, printedConfig } from "../src/settings/print.ts";
import type { SettingName } from "../src/settings/settings.ts";
import { flagOf, settingNames, settingOf } from "../src/settings/table.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "dino-settings-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const ask = (request: Partial<TrainRequest>) =>
  resolveSettings({ folder: "photos", flags: {}, environment: {}, ...request });

test("later layers win: defaults, preset, file, environment, flags", async () => {
  const config = write(
    "all.yaml",
    "preset: vit-small-boosted\nteacher_temp: 0.06\nlr: 0.1\nmin-lr: 0.01\nseed: 1\n",
  );
  const { settings, origins } = await ask({
    config,
    environment: { DINO_LR: "0.2", DINO_MIN_LR: "0.02" },
    flags: { lr: "0.3" },
  });
  expect(settings).toMatchObject({
    weightDecay: 0.04,
    normLastLayer: false,
    teacherTemp: 0.06,
    minLr: 0.02,
    lr: 0.3,
    dataPath: "photos",
  });
  expect(origins).toMatchObject({
    weightDecay: "default",
    normLastLayer: "preset vit-small-boosted",
    teacherTemp: `${config}: teacher-temp`,
    minLr: "DINO_MIN_LR",
    lr: "--lr",
    dataPath: "FOLDER",
  });
});

test("shows each setting and where it comes from", async () => {
  const printed = printedConfig(await ask({ flags: { warmupEpochs: "10%" } })).split("\n");
  expect(printed).toHaveLength(settingNames.length);
  expect(printed.find((line) => line.startsWith("warmup-epochs"))).toMatch(
    /^warmup-epochs: 10% +# --warmup-epochs$/,
  );
  expect(printed.find((line) => line.startsWith("num-workers"))).toMatch(
    /^num-workers: by cores +# default$/,
  );
});

test("writes a configuration that gives the same settings again", async () => {
  const flags = {
    globalCropsScale: "0.25 1",
    epochs: "500steps",
    normLastLayer: "off",
    lr: "1e-7",
  };
  const { settings } = resolve([flagLayer(flags)]);
  const path = write("config.yaml", configYaml(settings));
  expect(resolve([await fileLayer(path)]).settings).toEqual(settings);
});

test("takes settings for the numbers that change them, and no path or machine", () => {
  const names = Object.keys(numberSettings(resolve([]).settings));
  expect(names).toContain("lr");
  expect(names).toContain("seed");
  for (const name of [
    "data-path",
    "output-dir",
    "backend",
    "threads",
    "num-workers",
    "save-every-steps",
  ]) {
    expect(names).not.toContain(name);
  }
});

test.each(settingNames)("knows %s by its flag, with underscores, and as a variable", (name) => {
  const flag = flagOf(name);
  expect(settingOf(flag)).toBe(name);
  expect(settingOf(flag.replaceAll("-", "_"))).toBe(name);
  expect(settingOf(flag.replaceAll("-", "_").toUpperCase())).toBe(name);
});

test("leaves variables alone that are no settings", () => {
  expect(environmentLayer({ DINO_DEBUG: "1", HOME: "/", DINO_LR: "" }).values).toEqual({});
});

test("tells variables that look like settings and are none", () => {
  expect(unknownVariables({ DINO_LRR: "1", DINO_LR: "1", DINO_DEBUG: "1", HOME: "/" })).toEqual([
    "DINO_LRR",
  ]);
});

test.each<[SettingName, string, string]>([
  ["lr", "0", "--lr: expected a number above 0"],
  ["lr", "abc", "--lr: expected a number above 0"],
  ["lr", "0x10", "--lr: expected a number above 0"],
  ["lr", "Infinity", "--lr: expected a number above 0"],
  ["seed", "1.5", "--seed: expected a whole number of at least 0"],
  ["seed", "-1", "--seed: expected a whole number of at least 0"],
  ["seed", "9007199254740993", "--seed: expected a whole number of at least 0"],
  ["dropPathRate", "1", "--drop-path-rate: expected a number of at least 0 and below 1"],
  [
    "teacherTemp",
    "0.1",
    "--teacher-temp: expected a number above 0 and below 0.1, the student's temperature",
  ],
  [
    "warmupTeacherTemp",
    "0.2",
    "--warmup-teacher-temp: expected a number above 0 and below 0.1, the student's temperature",
  ],
  ["momentumTeacher", "1.1", "--momentum-teacher: expected a number from 0 to 1"],
  ["normLastLayer", "yes", "--norm-last-layer: expected true or false (on, off, 1, 0)"],
  ["optimizer", "adam", "--optimizer: expected one of adamw, sgd, lars"],
  [
    "globalCropsScale",
    "1 0.4",
    "--global-crops-scale: expected two numbers in order, above 0 and at most 1 (such as 0.4 1)",
  ],
  [
    "globalCropsScale",
    "0.4",
    "--global-crops-scale: expected two numbers in order, above 0 and at most 1 (such as 0.4 1)",
  ],
  ["epochs", "10%", "--epochs: expected a duration above 0 such as 2 (epochs) or 500steps"],
  ["epochs", "0", "--epochs: expected a duration above 0 such as 2 (epochs) or 500steps"],
  [
    "warmupEpochs",
    "soon",
    "--warmup-epochs: expected a duration such as 2 (epochs), 500steps or 10%",
  ],
  ["batchSizePerGpu", "0", "--batch-size-per-gpu: expected a whole number from 1 to 1048576"],
  ["maxBroken", "2", "--max-broken: expected a number from 0 to 1"],
])("refuses %s of %j in one sentence", (name, text, sentence) => {
  expect(() => flagLayer({ [name]: text })).toThrow(`${sentence}, got ${JSON.stringify(text)}`);
});

test.each([
  [
    "the global crops",
    { globalCropsSize: "100" },
    "--global-crops-size: expected a multiple of the patch of 16 (--patch-size), got 100",
  ],
  [
    "the local crops",
    { localCropsSize: "100" },
    "--local-crops-size: expected a multiple of the patch of 16 (--patch-size), got 100",
  ],
  [
    "the heads",
    { embedDim: "100", numHeads: "3" },
    "--num-heads: expected a divisor of the width of 100 (--embed-dim), got 3",
  ],
  [
    "the arch's heads",
    { embedDim: "100" },
    "--num-heads: expected a divisor of the width of 100 (--embed-dim), got 6",
  ],
  [
    "the warm-up",
    { epochs: "5" },
    "--warmup-epochs: expected at most the run of 5 epochs (--epochs), got 10 epochs",
  ],
  [
    "its steps",
    { epochs: "5steps", warmupEpochs: "6steps" },
    "--warmup-epochs: expected at most the run of 5 steps (--epochs), got 6 steps",
  ],
  [
    "the temperature's warm-up",
    { epochs: "20", warmupTeacherTempEpochs: "21" },
    "--warmup-teacher-temp-epochs: expected at most the run of 20 epochs (--epochs), got 21 epochs",
  ],
  [
    "the test set",
    { knnTest: "a" },
    "--knn-test: expected --knn-train beside it, to find neighbours in",
  ],
])("refuses %s that does not fit", async (_, flags, sentence) => {
  await expect(ask({ flags })).rejects.toThrow(new UsageError(sentence));
});

test("does not mind local crops that are not made", async () => {
  await expect(
    ask({ flags: { localCropsSize: "100", localCropsNumber: "0" } }),
  ).resolves.toBeDefined();
});

test("takes the folder by either name, but not two", async () => {
  const { settings } = await ask({ folder: "photos", flags: { dataPath: "./photos" } });
  expect(settings.dataPath).toBe("photos");
  await expect(ask({ folder: "photos", flags: { dataPath: "others" } })).rejects.toThrow(
    "--data-path: expected the same folder as FOLDER, photos, got others",
  );
});

test.each([
  ["lrr: 1", "lrr: unknown setting"],
  ["lr: [", "expected YAML, got "],
  ["- lr", "expected settings by name, got something else"],
  ["lr: fast", 'lr: expected a number above 0, got "fast"'],
])("refuses a file of %j", async (text, sentence) => {
  const path = write("bad.yaml", text);
  await expect(fileLayer(path)).rejects.toThrow(`${path}: ${sentence}`);
});

test("names a file of settings that is missing", async () => {
  await expect(fileLayer(join(folder, "none.yaml"))).rejects.toThrow(
    "--config: expected a file of settings, got ENOENT",
  );
});

test("goes on with a run's own settings, which may be repeated but not changed", async () => {
  const { settings } = resolve([flagLayer({ lr: "0.1", dataPath: join(folder, "photos") })]);
  write("config.yaml", configYaml(settings));
  const again = (flags: TrainRequest["flags"], photos?: string) =>
    resolveSettings({ folder: photos, resume: folder, flags, environment: {} });
  const resumed = await again({ lr: "1e-1", warmupEpochs: "10" }, join(folder, ".", "photos"));
  expect(resumed.settings).toMatchObject({ lr: 0.1, outputDir: folder });
  expect(resumed.choose).toBeUndefined();
  await expect(again({ lr: "0.2" })).rejects.toThrow(
    "--lr: expected 0.1 as in the run that goes on, got 0.2",
  );
  await expect(again({}, "elsewhere")).rejects.toThrow("FOLDER: expected");
});

test("spells flags in one way, and makes pairs of numbers one word", () => {
  const words = [
    "train",
    "my_photos",
    "--global_crops_scale",
    "0.25",
    "1",
    "--num_workers=2",
    "--lr",
    "0.1",
  ];
  expect(normalizeFlags(words)).toEqual([
    "train",
    "my_photos",
    "--global-crops-scale=0.25 1",
    "--num-workers=2",
    "--lr",
    "0.1",
  ]);
  expect(normalizeFlags(["--global-crops-scale", "0.25,1", "photos"])).toEqual([
    "--global-crops-scale",
    "0.25,1",
    "photos",
  ]);
  expect(normalizeFlags(["--workers", "2", "--", "--dist_url"])).toEqual([
    "--num-workers",
    "2",
    "--",
    "--dist_url",
  ]);
});

test("takes half precision's flag as a precision", () => {
  expect(normalizeFlags(["--use_fp16", "false"])).toEqual(["--precision", "fp32"]);
  expect(normalizeFlags(["--use-fp16=True"])).toEqual(["--precision", "bf16"]);
  expect(() => normalizeFlags(["--use-fp16", "half"])).toThrow(
    '--use-fp16: expected true or false (on, off, 1, 0), got "half"',
  );
});

test("takes fp32, bf16, f16 and auto for a precision, and keeps it in the run's configuration", async () => {
  expect((await ask({})).settings.precision).toBe("fp32");
  for (const precision of ["fp32", "bf16", "f16", "auto"]) {
    const { settings } = await ask({ flags: { precision } });
    expect(settings.precision).toBe(precision);
    expect(configYaml(settings)).toContain(`precision: ${precision}\n`);
  }
  await expect(ask({ flags: { precision: "fp16" } })).rejects.toThrow(
    '--precision: expected one of fp32, bf16, f16, auto, got "fp16"',
  );
});

test.each(["--dist_url", "--local-rank=0", "--use_cuda"])("refuses %s with a hint", (flag) => {
  expect(() => normalizeFlags([flag, "x"])).toThrow(
    /^--[a-z-]+: .+: (leave it out|choose one by --backend)$/,
  );
});

test("reads durations in every layer", async () => {
  const { settings } = await ask({
    flags: { epochs: "40" },
    environment: { DINO_WARMUP_EPOCHS: "5%" },
  });
  expect(settings).toMatchObject({ epochs: epochs(40), warmupEpochs: percent(5) });
});
