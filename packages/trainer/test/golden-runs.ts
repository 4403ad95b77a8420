import { dinoHead, dinoNetwork } from "@dino/backbones";
import { vit } from "@dino/backbones/vit";
import { type DinoLossState, dinoLoss } from "@dino/loss";
import { type AdamWState, adamW, lars, type Optimizer, sgd } from "@dino/optimizers";
import { cosine, teacherTemperature, warmupCosine } from "@dino/schedulers";
import { type Digest, type GoldenArray, golden, namedImages, namedParameters } from "@dino/testing";
import { createTrainer, ema, type Trainer, type TrainerOptions } from "@dino/trainer";
import * as tf from "@tensorflow/tfjs-core";

/** A training run of the reference: its settings, and what came of them. */
export interface Run {
  readonly optimizer: "adamw" | "sgd" | "lars";
  readonly clip_grad: number;
  readonly freeze_last_layer: number;
  readonly norm_last_layer: boolean;
  readonly base_lr: number;
  readonly epochs: number;
  readonly iters_per_epoch: number;
  readonly batch: number;
  readonly local_crops: number;
  readonly out_dim: number;
  readonly head: { readonly hidden_dim: number; readonly bottleneck_dim: number };
  readonly steps: readonly {
    readonly loss: number;
    readonly lr: number;
    readonly wd: number;
    readonly momentum: number;
  }[];
  readonly center: GoldenArray;
  readonly student: Readonly<Record<string, Digest>>;
  readonly teacher: Readonly<Record<string, Digest>>;
}

/** The file of the runs. */
export interface Trajectory {
  /** What goes in front of the names of their inputs. */
  readonly salt: string;
  readonly runs: readonly Run[];
}

const { salt } = golden<Trajectory>("trajectory");
const { config } = golden<{
  config: {
    img_size: number;
    patch_size: number;
    embed_dim: number;
    depth: number;
    num_heads: number;
  };
}>("vit");

const optimizers = { adamw: () => adamW(), sgd: () => sgd(), lars: () => lars() };

type AdamW = Optimizer<AdamWState>;

/** A trainer with the run's settings and first parameters. */
export function trainerOf(
  run: Run,
  options: Partial<
    Pick<TrainerOptions<DinoLossState, AdamWState>, "microBatch" | "optimizer" | "teacher">
  > = {},
): Trainer {
  const { iters_per_epoch: perEpoch, epochs } = run;
  const steps = epochs * perEpoch;
  const backbone = vit({
    embedDim: config.embed_dim,
    depth: config.depth,
    heads: config.num_heads,
    patchSize: config.patch_size,
    imageSize: config.img_size,
  });
  const head = dinoHead({
    inputs: backbone.embedDim,
    prototypes: run.out_dim,
    hidden: run.head.hidden_dim,
    bottleneck: run.head.bottleneck_dim,
    normLastLayer: run.norm_last_layer,
  });
  const trainer = createTrainer({
    network: dinoNetwork(backbone, head),
    loss: dinoLoss({ prototypes: run.out_dim }),
    optimizer: optimizers[run.optimizer]() as unknown as AdamW,
    teacher: ema(cosine({ from: 0.9, to: 1, steps })),
    learningRate: warmupCosine({ peak: run.base_lr, end: 1e-6, steps, warmup: perEpoch }),
    weightDecay: cosine({ from: 0.04, to: 0.4, steps }),
    teacherTemperature: teacherTemperature({
      from: 0.04,
      to: 0.07,
      warmupEpochs: 2,
      epochs,
      stepsPerEpoch: perEpoch,
    }),
    clipNorm: run.clip_grad,
    freezeLastLayer: run.freeze_last_layer * perEpoch,
    seed: 0,
    ...options,
  });
  const { parameterShapes } = trainer.network;
  const student = namedParameters(`${salt}dino.`, parameterShapes);
  const teacher = Object.fromEntries(
    Object.entries(student).map(([name, x]) => [name, tf.clone(x)]),
  );
  const fresh = trainer.state();
  trainer.restore({
    step: 0,
    student,
    teacher,
    optimizer: {},
    loss: { center: tf.zeros([run.out_dim]) },
  });
  tf.dispose(fresh);
  return trainer;
}

/** The crops of a step. */
export function cropsAt(step: number, run: Run): tf.Tensor4D[] {
  return [
    { first: 0, views: 2, size: 32 },
    { first: 2, views: run.local_crops, size: 16 },
  ].map(({ first, views, size }) =>
    tf.tidy(() =>
      tf.concat(
        Array.from({ length: views }, (_, view) =>
          namedImages(`${salt}dino.step${step}.crop${first + view}`, [run.batch, 3, size, size]),
        ),
      ),
    ),
  );
}
