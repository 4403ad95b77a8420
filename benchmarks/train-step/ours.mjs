// Our side of train-step.mjs: trains a step of DINO when it reads `step`, on one engine.
import { createInterface } from "node:readline";
import { dinoHead, dinoNetwork } from "@dino/backbones";
import { vit } from "@dino/backbones/vit";
import { activeBackend, startBackend } from "@dino/backend";
import { dinoLoss } from "@dino/loss";
import { imageTensor } from "@dino/ops";
import { adamW } from "@dino/optimizers";
import { fold, key, random } from "@dino/random";
import { createTrainer, ema } from "@dino/trainer";
import * as tf from "@tensorflow/tfjs-core";

const { sizes, engine, precision } = JSON.parse(process.argv[2]);
const answer = (document) => process.stdout.write(`${JSON.stringify(document)}\n`);

try {
  await startBackend(engine, { precision });
  const { details, memoryBytes } = activeBackend();
  const trainer = trainerOf(sizes, memoryBytes);
  const crops = cropsOf(sizes);
  const runsOn = `${engine}${details && ` (${details})`}, ${precision}`;
  answer({ runsOn, readyRssBytes: peakBytes() });
  for await (const word of createInterface({ input: process.stdin })) {
    if (word === "step") {
      answer(await step(trainer, crops));
    } else if (word === "finish") {
      answer({ peakRssBytes: peakBytes() });
      break;
    }
  }
} catch (error) {
  answer({ error: error.message.split("\n")[0] });
  process.exitCode = 1;
}
process.stdin.destroy();

function peakBytes() {
  return 1024 * process.resourceUsage().maxRSS;
}

/** The crops stay: the trainer consumes its own names of them. */
async function step(trainer, crops) {
  const started = performance.now();
  trainer.train(crops.map((group) => tf.clone(group)));
  const { loss } = await trainer.metrics();
  return { seconds: (performance.now() - started) / 1000, loss };
}

function trainerOf({ width, heads, depth, patch, globalSize, ...sizes }, memoryBytes) {
  const backbone = vit({ embedDim: width, depth, heads, patchSize: patch, imageSize: globalSize });
  const { hidden, bottleneck, prototypes } = sizes;
  return createTrainer({
    network: dinoNetwork(backbone, dinoHead({ inputs: width, prototypes, hidden, bottleneck })),
    loss: dinoLoss({ prototypes }),
    optimizer: adamW(),
    teacher: ema(() => sizes.teacherMomentum),
    learningRate: () => sizes.learningRate,
    weightDecay: () => sizes.weightDecay,
    teacherTemperature: () => 0.04,
    clipNorm: sizes.clipNorm,
    seed: 0,
    ...(memoryBytes !== undefined && { memoryBytes }),
  });
}

/** Pictures of random bytes, made once. */
function cropsOf({ batch, globalSize, localSize, locals }) {
  const groups = [
    { views: 2, side: globalSize },
    { views: locals, side: localSize },
  ].filter(({ views }) => views > 0);
  return groups.map(({ views, side }, group) => {
    const stream = random(fold(key(0), group));
    const data = Uint8Array.from({ length: 3 * views * batch * side * side }, () =>
      stream.integer(0, 255),
    );
    return imageTensor(data, [views * batch, side, side]);
  });
}
