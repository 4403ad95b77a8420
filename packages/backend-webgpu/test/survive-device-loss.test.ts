import "@dino/ops/gradients";
import { type Backbone, dinoHead, dinoNetwork } from "@dino/backbones";
import { dinoLoss } from "@dino/loss";
import { linear } from "@dino/ops";
import { adamW } from "@dino/optimizers";
import { named, onEveryBackend } from "@dino/testing";
import {
  createTrainer,
  ema,
  type RunStore,
  surviveDeviceLoss,
  type TrainEvent,
  type Trainer,
  train,
} from "@dino/trainer";
import { originRun } from "@dino/trainer/browser";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { openCheckpoint, streamSafetensors } from "../../checkpoint/src/index.ts";
import { memoryFolder } from "../../trainer/test/memory-folder.ts";

const steps = 5;

onEveryBackend(
  () => {
    test("a run whose device is lost goes on from its last checkpoint with the losses of one whose is not", async () => {
      const before = tf.memory().numTensors;
      const undisturbed: TrainEvent[] = [];
      await trained({ store: store(), onEvent: (event) => undisturbed.push(event) });

      const kept = store();
      const devices = new Set([activeDevice()]);
      const events: TrainEvent[] = [];
      const told: string[] = [];
      const result = await surviveDeviceLoss({
        run: (lost) =>
          trained({
            ...{ store: kept, lost },
            onEvent: (event) => {
              events.push(event);
              // In the middle of the step behind the checkpoint's: its figures are read no more.
              if (event.type === "step" && event.step === 3 && !lost) activeDevice().destroy();
            },
          }),
        restart: async () => {
          expect(await tf.setBackend("webgpu")).toBe(true);
          devices.add(activeDevice());
        },
        onLost: ({ step, reason }) => told.push(`${step} ${reason}`),
      });

      expect(devices.size).toBe(2);
      expect(told).toEqual([expect.stringMatching(/^3 .+/)]);
      expect(result).toMatchObject({ steps, resumedFrom: 2, stepsRun: 3, stopped: false });
      expect(
        events.flatMap((event) => ("step" in event ? `${event.type} ${event.step}` : [])),
      ).toEqual([
        ...["step 1", "step 2", "saved 2", "step 3"],
        ...["deviceLost 2", "resumed 2", "step 3", "step 4", "saved 4", "step 5", "saved 5"],
      ]);
      expect(lossesOf(events)).toEqual(lossesOf(undisturbed));
      expect(tf.memory().numTensors).toBe(before);
    }, 240_000); // a software device compiles for a while, and there are two
  },
  { waits: true },
);

interface Running {
  readonly store: RunStore;
  readonly lost?: Parameters<Parameters<typeof surviveDeviceLoss>[0]["run"]>[0];
  readonly onEvent: (event: TrainEvent) => void;
}

async function trained(options: Running) {
  const trainer = trainerOf();
  try {
    return await train({ trainer, batches, steps, saveEvery: 2, ...options });
  } finally {
    trainer.dispose();
  }
}

function activeDevice(): GPUDevice {
  return (tf.backend() as unknown as { readonly device: GPUDevice }).device;
}

/** The last loss told of every step. */
function lossesOf(events: readonly TrainEvent[]): Readonly<Record<number, number>> {
  return Object.fromEntries(
    events.flatMap((event) =>
      event.type === "step" && event.metrics ? [[event.step, event.metrics.loss]] : [],
    ),
  );
}

const size = 8;

const batches = {
  perEpoch: 8,
  batchSize: 2,
  async *steps({ from, to }: { from: number; to: number }) {
    for (let step = from; step < to; step++) {
      yield [named<tf.Tensor4D>(`step${step}`, [4, size, size, 3])];
    }
  },
};

/** One layer: every device compiles anew, and a software one takes seconds for a transformer. */
const oneLayer: Backbone = {
  name: "one layer",
  embedDim: 12,
  parameterShapes: { weight: [12, 3 * size ** 2], bias: [12] },
  init: () => ({ weight: named("weight", [12, 3 * size ** 2]), bias: tf.zeros([12]) }),
  forward: ({ weight, bias }, images) =>
    linear(tf.reshape(images, [-1, 3 * size ** 2]), weight as tf.Tensor2D, bias as tf.Tensor1D),
};

function trainerOf(): Trainer {
  const head = dinoHead({ inputs: 12, prototypes: 8, hidden: 10, bottleneck: 6 });
  return createTrainer({
    network: dinoNetwork(oneLayer, head),
    loss: dinoLoss({ prototypes: 8 }),
    optimizer: adamW(),
    teacher: ema(() => 0.9),
    learningRate: () => 1e-2,
    weightDecay: () => 0.04,
    teacherTemperature: () => 0.04,
    seed: 3,
  });
}

/** The store that a page has: in files, for tensors go with their device. */
function store(): RunStore {
  const bytes = { open: openCheckpoint, encode: streamSafetensors };
  return originRun(memoryFolder().directory, bytes, { settings: { steps } });
}
