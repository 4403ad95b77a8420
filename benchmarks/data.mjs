// How fast the loader makes crops, where its time goes, and how long training waits for it.
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { startBackend } from "@dino/backend";
import * as tf from "@tensorflow/tfjs-core";

const root = resolve(import.meta.dirname, "..");
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    packages: { type: "string", default: resolve(root, "packages") },
    pictures: { type: "string", default: "512" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "5" },
    "step-ms": { type: "string", default: "30" },
    workers: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const built = (path) => import(pathToFileURL(resolve(values.packages, path)).href);
const { applyViews, cropBlocks, multiCrop } = await built("augmentations/dist/index.js");
const { viewKey } = await built("data/dist/index.js");
const { imageFolder, loader } = await built("data/dist/node.js");
const { imageTensor } = await built("ops/dist/index.js");
const [pictures, rounds, seconds, quickStepMs] = ["pictures", "rounds", "seconds", "step-ms"].map(
  (name) => Number(values[name]),
);

await startBackend("cpu");
const cases = [
  { name: "quick start", folder: await quickStartFolder(), stepMs: quickStepMs, ...quickStart() },
];
if (positionals[0] !== undefined) {
  const folder = resolve(positionals[0]);
  const small = { global: 64, local: 32, locals: 6 };
  cases.push(
    { name: "2 x 64 + 6 x 32", folder, crops: small, batchSize: 32, stepMs: 20 * quickStepMs },
    { name: "2 x 224 + 8 x 96", folder, crops: {}, batchSize: 32, stepMs: 200 * quickStepMs },
  );
}
const reports = [];
for (const each of cases) {
  const report = { case: each.name, folder: each.folder, ...(await measure(each)) };
  reports.push(report);
  print(report);
}
if (values.json) {
  const machine = { processors: availableParallelism(), node: process.version };
  console.log(JSON.stringify({ machine, cases: reports }));
}

/** The pictures of `npm start`, laid out if they are not yet. */
async function quickStartFolder() {
  const folder = resolve(root, "node_modules/.cache/dino-quick-start");
  if (!existsSync(folder)) {
    const { quickStartPictures } = await import("../tools/quick-start-pictures.mjs");
    quickStartPictures(folder);
  }
  return resolve(folder, "train");
}

/** The crops and the batch size of `npm start`. */
function quickStart() {
  const settings = JSON.parse(readFileSync(resolve(root, "tools/quick-start.json"), "utf8"));
  const crops = {
    global: settings["global-crops-size"],
    local: settings["local-crops-size"],
    locals: settings["local-crops-number"],
    jitter: { probability: settings["color-jitter-probability"] },
    grey: settings["grayscale-probability"],
    solarize: { others: settings["solarize-probability"] },
  };
  return { crops, batchSize: settings["batch-size-per-gpu"] };
}

async function measure({ folder, crops, batchSize, stepMs }) {
  const views = multiCrop(crops);
  const photos = await imageFolder(folder, { probe: false });
  const dataset = { ...photos, length: Math.min(photos.length, pictures) };
  const stages = await stagesOf(dataset, views, batchSize);

  const batches = loader(dataset, {
    views,
    batchSize,
    seed: 0,
    ...(values.workers !== undefined && { workers: Number(values.workers) }),
  });
  const steps = batches.steps()[Symbol.asyncIterator]();
  const next = async () => tf.dispose([...(await steps.next()).value]);
  const decoding = await rate(batchSize, next, () => false, batches.perEpoch + 4);
  const ends = performance.now() + 1000 * seconds;
  const alone = await rate(batchSize, next, () => performance.now() < ends, 4);
  const training = await trainingOf(batches, next, stepMs);
  await steps.return();
  await batches.close();
  const rest = alone.coreMs - stages.sample - stages.render - stages.tensor;
  return { batchSize, stages: { ...stages, rest }, firstEpoch: decoding, loader: alone, training };
}

/** Images per second and core milliseconds per image, of `least` steps and as many as `more` wants. */
async function rate(batchSize, next, more, least) {
  const [begun, used] = [performance.now(), cpuMs()];
  let steps = 0;
  while (steps < least || more()) {
    await next();
    steps++;
  }
  const images = steps * batchSize;
  return {
    imagesPerSecond: (1000 * images) / (performance.now() - begun),
    coreMs: (cpuMs() - used) / images,
  };
}

/** Core milliseconds per image of each stage, on this thread; the best of some rounds. */
async function stagesOf(dataset, views, batchSize) {
  const decoded = [];
  const count = Math.min(dataset.length, 96);
  const used = cpuMs();
  for (let index = 0; index < count; index++) decoded.push(await dataset.read(index));
  const decode = (cpuMs() - used) / count;

  const best = (run) => {
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < rounds; round++) {
      const before = cpuMs();
      run();
      least = Math.min(least, cpuMs() - before);
    }
    return least / count;
  };
  let sampled = [];
  const sample = best(() => {
    sampled = decoded.map((picture, index) =>
      views.sample(picture, viewKey({ seed: 0, epoch: 0, index })),
    );
  });

  // A stage costs what the crops cost with it, less what they cost without it and those behind it.
  const blocks = cropBlocks(views.groups, 1);
  const stages = {};
  let [made, render] = [{ flip: false, jitter: null, grey: false, blur: null, solarize: false }, 0];
  const withoutHue = (jitter) => jitter && { ...jitter, order: jitter.order.filter(notHue) };
  const notHue = (step) => step !== "hue";
  const add = (name, parts) => {
    made = { ...made, ...parts };
    const chosen = sampled.map((of) =>
      of.map((view) => {
        const kept = { ...view };
        for (const [key, value] of Object.entries(made)) {
          kept[key] = typeof value === "function" ? value(view) : value;
        }
        return kept;
      }),
    );
    const cost = best(() => {
      for (const [i, picture] of decoded.entries()) {
        applyViews(picture, chosen[i], { blocks, index: 0, batch: 1 });
      }
    });
    stages[name] = cost - render;
    render = cost;
  };
  add("cropAndResize", {});
  add("flip", { flip: ({ flip }) => flip });
  add("jitter", { jitter: ({ jitter }) => withoutHue(jitter) });
  add("hue", { jitter: ({ jitter }) => jitter });
  add("grey", { grey: ({ grey }) => grey });
  add("blur", { blur: ({ blur }) => blur });
  add("solarize", { solarize: ({ solarize }) => solarize });

  const packed = cropBlocks(views.groups, batchSize);
  const tensor =
    (best(() => {
      for (const [group, { size, views: crops }] of views.groups.entries()) {
        imageTensor(packed[group], [crops * batchSize, size, size]).dispose();
      }
    }) *
      count) /
    batchSize;
  return { decode, sample, ...stages, render, tensor };
}

/**
 * What training sees that blocks this thread, on two threads at once, for the same work in each
 * step: how much longer it takes than without the loader, and its share of waiting.
 */
async function trainingOf(batches, next, stepMs) {
  const step = createStep();
  const iterations = step.calibrate(stepMs);
  const times = (count) => Array.from({ length: count }, () => step.run(iterations));
  const count = Math.max(4, Math.round((1000 * seconds) / stepMs));
  const before = times(count);
  const waitedBefore = batches.waited;
  const begun = performance.now();
  const during = [];
  for (let i = 0; i < count; i++) {
    await next();
    during.push(step.run(iterations));
  }
  const elapsed = performance.now() - begun;
  const waited = 1000 * (batches.waited - waitedBefore);
  const after = times(count);
  await step.close();
  const alone = mean([...before, ...after]);
  return {
    stepMs: { alone, withLoader: mean(during) },
    waitMs: waited / count,
    waitShare: waited / elapsed,
    shareOfSpeed: (alone * count) / elapsed,
  };
}

/** Work for two threads, one of which is this. */
function createStep() {
  // In units of 10,000 turns, whose number fits 32 bits for any step.
  const burn = `(units) => {
    let x = 1;
    for (let unit = 0; unit < units; unit++) {
      for (let i = 0; i < 10_000; i++) x = Math.imul(x, 48271) ^ i;
    }
    return x;
  }`;
  const here = new Function(`return ${burn}`)();
  const [go, done] = [0, 1];
  const state = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(
    `const { workerData: state } = require("node:worker_threads");
    const burn = ${burn};
    for (;;) {
      Atomics.wait(state, ${go}, 0);
      const count = Atomics.exchange(state, ${go}, 0);
      if (count < 0) break;
      state[${done}] = burn(count) & 0;
      Atomics.store(state, ${done}, 1);
      Atomics.notify(state, ${done});
    }`,
    { eval: true, workerData: state },
  );
  const run = (count) => {
    const begun = performance.now();
    Atomics.store(state, go, count);
    Atomics.notify(state, go);
    here(count);
    Atomics.wait(state, done, 0);
    Atomics.store(state, done, 0);
    return performance.now() - begun;
  };
  return {
    run,
    calibrate: (milliseconds) => {
      const count = 1000;
      const best = Math.min(...Array.from({ length: 10 }, () => run(count)));
      return Math.round((count * milliseconds) / best);
    },
    close: async () => {
      Atomics.store(state, go, -1);
      Atomics.notify(state, go);
      await worker.terminate();
    },
  };
}

function mean(numbers) {
  return numbers.reduce((a, b) => a + b, 0) / numbers.length;
}

/** Milliseconds that all threads of this process have computed so far. */
function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function print({ case: name, folder, batchSize, stages, firstEpoch, loader: alone, training }) {
  const lines = [
    `${name}, batches of ${batchSize}, ${folder}`,
    `  core ms per image: ${Object.entries(stages)
      .map(([stage, ms]) => `${stage} ${ms.toFixed(3)}`)
      .join(", ")}`,
    `  first epoch   ${firstEpoch.imagesPerSecond.toFixed(0)} images/s, ${firstEpoch.coreMs.toFixed(2)} core ms per image`,
    `  loader alone  ${alone.imagesPerSecond.toFixed(0)} images/s, ${alone.coreMs.toFixed(3)} core ms per image`,
    `  in training   step ${training.stepMs.alone.toFixed(1)} ms alone, ${training.stepMs.withLoader.toFixed(1)} ms with the loader, waits ${training.waitMs.toFixed(2)} ms (${(100 * training.waitShare).toFixed(1)} %), ${(100 * training.shareOfSpeed).toFixed(0)} % of its speed alone`,
  ];
  console.error(lines.join("\n"));
}
