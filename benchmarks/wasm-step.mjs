// A training step of the quick start's model on wasm, three ways, turn by turn in one process: the
// operations as composites of plain tfjs on its stock kernels, on the repaired ones, on our kernels.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { dinoHead, dinoNetwork } from "@dino/backbones";
import { vit } from "@dino/backbones/vit";
import { hostInstructions, installKernels } from "@dino/backend-wasm";
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
await tf.setBackend("wasm");
// The same backend by a name under which nothing is repaired.
tf.copyRegisteredKernels("wasm", "stock-wasm");
tf.registerBackend("stock-wasm", () => tf.findBackend("wasm"));

const nothing = () => undefined;
const sides = {
  composite: { backend: "stock-wasm", prepare: async () => nothing },
  repaired: { backend: "wasm", prepare: async () => nothing },
  kernels: { backend: "wasm", prepare: installKernels },
};
const crops = cropsOf();
const results = {};
for (const [name, side] of Object.entries(sides)) {
  results[name] = { trainer: await on(side, trainerOf), seconds: [], losses: [] };
}
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [name, side] of Object.entries(sides)) {
    const { seconds, loss } = await on(side, () => step(results[name].trainer));
    results[name].seconds.push(seconds);
    results[name].losses.push(loss);
    say(`round ${round + 1}, ${name}: ${(1000 * seconds).toFixed(0)} ms, loss ${loss.toFixed(6)}`);
  }
}

const best = (name) => Math.min(...results[name].seconds);
const report = {
  model: `${settings.arch}, ${settings["embed-dim"]} wide, ${settings.depth} blocks, batch ${settings["batch-size-per-gpu"]}`,
  instructions: hostInstructions(),
  milliseconds: Object.fromEntries(Object.keys(sides).map((name) => [name, 1000 * best(name)])),
  timesComposite: best("composite") / best("kernels"),
  timesRepaired: best("repaired") / best("kernels"),
  losses: Object.fromEntries(Object.keys(sides).map((name) => [name, results[name].losses])),
};
say(
  `our kernels: ${report.timesComposite.toFixed(1)} times the composites' speed, ${report.timesRepaired.toFixed(1)} times the repaired kernels' (processor time, best of ${values.rounds})`,
);
if (values.json) console.log(JSON.stringify(report));

/** Runs something on one side's kernels. */
async function on({ backend, prepare }, run) {
  await tf.setBackend(backend);
  const restore = await prepare();
  try {
    return await run();
  } finally {
    restore();
  }
}

/** Processor time: one thread computes, and other programs do not count. */
async function step(trainer) {
  const before = process.cpuUsage();
  trainer.train(crops.map((group) => tf.clone(group)));
  const { loss } = await trainer.metrics();
  const { user, system } = process.cpuUsage(before);
  return { seconds: (user + system) / 1e6, loss };
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
