// A training step of the quick start's model on wasm, four ways, turn by turn in one process: the
// operations as composites of plain tfjs on its stock kernels, on the repaired ones, on our kernels
// on one thread, and on all of them.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { dinoHead, dinoNetwork } from "@dino/backbones";
import { vit } from "@dino/backbones/vit";
import { hostInstructions, installKernels, withSharedMemory } from "@dino/backend-wasm";
import "@dino/ops/gradients";
import { dinoLoss } from "@dino/loss";
import { imageTensor } from "@dino/ops";
import { adamW } from "@dino/optimizers";
import { fold, key, random } from "@dino/random";
import { createTrainer, ema } from "@dino/trainer";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    settings: {
      type: "string",
      default: resolve(import.meta.dirname, "../tools/quick-start.json"),
    },
    json: { type: "boolean", default: false },
  },
});
const settings = JSON.parse(readFileSync(values.settings, "utf8"));
const say = values.json ? console.error : console.log;

const stock = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm");
setWasmPaths(`${dirname(stock)}/`);
await withSharedMemory(() => tf.setBackend("wasm"));
// The same backend by a name under which nothing is repaired.
tf.copyRegisteredKernels("wasm", "stock-wasm");
tf.registerBackend("stock-wasm", () => tf.findBackend("wasm"));

const nothing = { threads: 1, restore: () => undefined };
const sides = {
  composite: { backend: "stock-wasm", prepare: async () => nothing },
  repaired: { backend: "wasm", prepare: async () => nothing },
  kernels: { backend: "wasm", prepare: () => installKernels({ threads: 1 }) },
  threads: { backend: "wasm", prepare: installKernels },
};
const crops = cropsOf();
const results = {};
for (const [name, side] of Object.entries(sides)) {
  const trainer = await on(side, trainerOf);
  results[name] = { trainer, processor: [], clock: [], losses: [], threads: 1 };
}
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [name, side] of Object.entries(sides)) {
    const result = results[name];
    const { processor, clock, loss, threads } = await on(side, async (threads) => {
      await step(result.trainer, threads); // finds its kernels, and threads wake
      return await step(result.trainer, threads);
    });
    result.processor.push(processor);
    result.clock.push(clock);
    result.losses.push(loss);
    result.threads = threads;
    say(`round ${round + 1}, ${name}: ${clock.toFixed(0)} ms, loss ${loss.toFixed(6)}`);
  }
}

const best = (name, time) => Math.min(...results[name][time]);
const timesOf = (time) =>
  Object.fromEntries(Object.keys(sides).map((name) => [name, best(name, time)]));
const report = {
  model: `${settings.arch}, ${settings["embed-dim"]} wide, ${settings.depth} blocks, batch ${settings["batch-size-per-gpu"]}`,
  instructions: hostInstructions(),
  threads: results.threads.threads,
  processorMilliseconds: timesOf("processor"),
  milliseconds: timesOf("clock"),
  // On one thread: other programs do not count.
  timesComposite: best("composite", "processor") / best("kernels", "processor"),
  timesRepaired: best("repaired", "processor") / best("kernels", "processor"),
  // By the clock.
  timesOneThread: best("kernels", "clock") / best("threads", "clock"),
  threadsTimesComposite: best("composite", "clock") / best("threads", "clock"),
  losses: Object.fromEntries(Object.keys(sides).map((name) => [name, results[name].losses])),
};
say(
  `our kernels: ${report.timesComposite.toFixed(1)} times the composites' speed, ${report.timesRepaired.toFixed(1)} times the repaired kernels' (processor time, best of ${values.rounds})`,
);
say(
  `on ${report.threads} threads: ${report.timesOneThread.toFixed(2)} times one thread's speed, ${report.threadsTimesComposite.toFixed(1)} times the composites' (by the clock)`,
);
if (values.json) console.log(JSON.stringify(report));

/** Runs something on one side's kernels. */
async function on({ backend, prepare }, run) {
  await tf.setBackend(backend);
  const { threads, restore } = await prepare();
  try {
    return await run(threads);
  } finally {
    restore();
  }
}

/** Milliseconds by the clock and of the processor, for which other programs do not count. */
async function step(trainer, threads) {
  const [before, started] = [process.cpuUsage(), performance.now()];
  trainer.train(crops.map((group) => tf.clone(group)));
  const { loss } = await trainer.metrics();
  const clock = performance.now() - started;
  const { user, system } = process.cpuUsage(before);
  return { processor: (user + system) / 1e3, clock, loss, threads };
}

function trainerOf() {
  const width = settings["embed-dim"];
  const prototypes = settings["out-dim"];
  const backbone = vit({
    embedDim: width,
    depth: settings.depth,
    heads: settings["num-heads"],
    patchSize: settings["patch-size"],
    imageSize: settings["global-crops-size"],
  });
  const [hidden, bottleneck] = [settings["hidden-dim"], settings["bottleneck-dim"]];
  return createTrainer({
    network: dinoNetwork(backbone, dinoHead({ inputs: width, prototypes, hidden, bottleneck })),
    loss: dinoLoss({ prototypes }),
    optimizer: adamW(),
    teacher: ema(() => settings["momentum-teacher"]),
    learningRate: () => 1e-3,
    weightDecay: () => 0.04,
    teacherTemperature: () => 0.04,
    clipNorm: 3,
    seed: 0,
  });
}

/** Pictures of random bytes, made once. */
function cropsOf() {
  const groups = [
    { views: 2, side: settings["global-crops-size"] },
    { views: settings["local-crops-number"], side: settings["local-crops-size"] },
  ];
  return groups.map(({ views, side }, group) => {
    const stream = random(fold(key(0), group));
    const pictures = views * settings["batch-size-per-gpu"];
    const data = Uint8Array.from({ length: 3 * pictures * side * side }, () =>
      stream.integer(0, 255),
    );
    return imageTensor(data, [pictures, side, side]);
  });
}
