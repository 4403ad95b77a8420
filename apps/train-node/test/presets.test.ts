import { expect, test } from "vitest";
import { checkLength, checkSettings } from "../src/settings/check.ts";
import {
  chosenPreset,
  leavesTheChoice,
  namedPreset,
  presetNames,
} from "../src/settings/choose-preset.ts";
import { epochs, steps } from "../src/settings/duration.ts";
import {
  defaults,
  environmentLayer,
  flagLayer,
  type Layer,
  resolve,
} from "../src/settings/layers.ts";
import { presets } from "../src/settings/presets.ts";
import { smallDataSettings } from "../src/settings/small-data.ts";

test("has the reference's defaults", () => {
  expect(defaults.values).toMatchObject({
    arch: "vit_small",
    patchSize: 16,
    outDim: 65_536,
    normLastLayer: true,
    momentumTeacher: 0.996,
    useBnInHead: false,
    warmupTeacherTemp: 0.04,
    teacherTemp: 0.04,
    warmupTeacherTempEpochs: epochs(0),
    weightDecay: 0.04,
    weightDecayEnd: 0.4,
    clipGrad: 3,
    batchSizePerGpu: 64,
    epochs: epochs(100),
    freezeLastLayer: epochs(1),
    lr: 0.0005,
    warmupEpochs: epochs(10),
    minLr: 1e-6,
    optimizer: "adamw",
    dropPathRate: 0.1,
    globalCropsScale: [0.4, 1],
    localCropsNumber: 8,
    localCropsScale: [0.05, 0.4],
    saveckpFreq: epochs(20),
    seed: 0,
    globalCropsSize: 224,
    localCropsSize: 96,
    hiddenDim: 2048,
    bottleneckDim: 256,
  });
});

test.each(presetNames())("can train the recipe %s as it stands", (name) => {
  const preset = namedPreset([flagLayer({ preset: name })]);
  const { settings } = resolve([preset as NonNullable<typeof preset>]);
  expect(() => checkSettings(settings)).not.toThrow();
  expect(() => checkLength(settings, 1)).not.toThrow();
});

test("has the published recipes' figures", () => {
  expect(presets["vit-small-boosted"]?.values).toMatchObject({
    batchSizePerGpu: 1024,
    epochs: epochs(300),
    teacherTemp: 0.07,
    warmupTeacherTempEpochs: epochs(30),
    normLastLayer: false,
  });
  expect(presets["vit-base-8-released"]?.values).toMatchObject({
    patchSize: 8,
    warmupTeacherTemp: 0.03,
    teacherTemp: 0.07,
    minLr: 2e-6,
    localCropsNumber: 10,
    globalCropsScale: [0.25, 1],
  });
  expect(presets["vit-small-two-crops"]?.values).toMatchObject({
    localCropsNumber: 0,
    globalCropsScale: [0.14, 1],
    clipGrad: 0,
    minLr: 1e-5,
  });
});

test("names the presets when asked for one that is none", () => {
  expect(() => namedPreset([flagLayer({ preset: "vit-huge" })])).toThrow(
    /^--preset: expected one of vit-small, .*, got vit-huge$/,
  );
});

test("says that a recipe's backbone is still to come", () => {
  expect(() => namedPreset([flagLayer({ preset: "xcit-small" })])).toThrow(
    "--preset: expected one that can be trained, got xcit-small, whose backbone xcit_small_12_p16 is still to come",
  );
});

test.each(["resnet-50", "resnet-50-released"])("trains a ResNet-50 by %s", (name) => {
  const preset = namedPreset([flagLayer({ preset: name })]) as Layer;
  const { settings, origins } = resolve([preset]);
  expect(settings).toMatchObject({
    arch: "resnet50",
    optimizer: name === "resnet-50" ? "sgd" : "lars",
    lr: name === "resnet-50" ? 0.03 : 0.3,
    globalCropsScale: [0.14, 1],
    localCropsScale: [0.05, 0.14],
    dropPathRate: 0,
  });
  expect(origins.dropPathRate).toBe("default of resnet50");
});

test.each([
  [{ dropPathRate: "0.1" }, "--drop-path-rate: expected 0 (a ResNet has no stochastic depth)", 0.1],
  [{ patchSize: "8" }, "--patch-size: expected none", 8],
  [{ embedDim: "64" }, "--embed-dim: expected none", 64],
  [{ depth: "3" }, "--depth: expected none", 3],
  [{ numHeads: "2" }, "--num-heads: expected none", 2],
])("refuses %j with a ResNet", (flags, expected, got) => {
  const { settings } = resolve([flagLayer({ arch: "resnet18", ...flags })]);
  expect(() => checkSettings(settings)).toThrow(`${expected} with resnet18, got ${got}`);
});

test("lets a ResNet's crops have any sides", () => {
  const sides = { globalCropsSize: "75", localCropsSize: "33" };
  const { settings } = resolve([flagLayer({ arch: "resnet18", ...sides })]);
  expect(() => checkSettings(settings)).not.toThrow();
});

test.each([
  [500, 1024],
  [20_000, 1024],
  [20_001, 2048],
  [50_000, 2048],
  [100_000, 4096],
  [200_000, 16_384],
  [500_000, 32_768],
  [500_001, 65_536],
])("gives a folder of %d pictures %d prototypes", (pictures, outDim) => {
  expect(smallDataSettings(pictures, "fast-cpu").outDim).toBe(outDim);
});

test("goes from a sharp and agile teacher to ImageNet's", () => {
  const at = (pictures: number) => smallDataSettings(pictures, "gpu");
  expect(at(3000)).toMatchObject({
    teacherTemp: 0.02,
    momentumTeacher: 0.99,
    warmupTeacherTemp: 0.02,
  });
  expect(at(650_584)).toMatchObject({
    teacherTemp: 0.045,
    momentumTeacher: 0.993,
    warmupTeacherTemp: 0.04,
  });
  expect(at(1_281_167)).toMatchObject({ teacherTemp: 0.07, momentumTeacher: 0.996 });
  expect(at(5_000_000)).toMatchObject({ teacherTemp: 0.07, momentumTeacher: 0.996 });
});

test("keeps warm-ups a small part of a short run, and of fixed length in a long one", () => {
  const short = smallDataSettings(3068, "slow-cpu"); // 95 steps an epoch, 33 epochs
  expect(short).toMatchObject({
    batchSizePerGpu: 32,
    epochs: epochs(33),
    warmupEpochs: steps(313),
    warmupTeacherTempEpochs: steps(940),
    freezeLastLayer: steps(156),
  });
  const long = smallDataSettings(1_281_167, "gpu"); // 20,018 steps an epoch, 10 epochs
  expect(long).toMatchObject({
    warmupEpochs: steps(12_500),
    warmupTeacherTempEpochs: steps(37_500),
    freezeLastLayer: steps(1250),
  });
});

test.each([1, 2, 3, 7, 31, 33, 1000])("fits a folder of %d pictures", (pictures) => {
  for (const machine of ["gpu", "fast-cpu", "slow-cpu"] as const) {
    const { settings } = resolve([chosenPreset(pictures, machine)]);
    expect(settings.batchSizePerGpu).toBeLessThanOrEqual(pictures);
    checkSettings(settings);
    checkLength(settings, Math.floor(pictures / settings.batchSizePerGpu));
  }
});

test("chooses only where nothing says what to train", () => {
  expect(leavesTheChoice([flagLayer({ seed: "1", knnTrain: "a", outputDir: "b" })])).toBe(true);
  expect(leavesTheChoice([flagLayer({ epochs: "5" })])).toBe(false);
  expect(leavesTheChoice([flagLayer({ preset: "vit-small" })])).toBe(false);
  expect(leavesTheChoice([environmentLayer({ DINO_LR: "0.1" }), flagLayer({})])).toBe(false);
});
