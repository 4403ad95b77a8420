import { dinoHead, dinoNetwork } from "@dino/backbones";
import { vit } from "@dino/backbones/vit";
import { dinoLoss } from "@dino/loss";
import { adamW } from "@dino/optimizers";
import { named, onEveryBackend } from "@dino/testing";
import {
  copy,
  createTrainer,
  ema,
  flattenState,
  NonFiniteLossError,
  previousEpoch,
  previousIteration,
  type SavedRun,
  type TeacherUpdate,
  type TrainEvent,
  type Trainer,
  type Tree,
  train,
  unflattenState,
} from "@dino/trainer";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";

const perEpoch = 3;
const batchSize = 2;

onEveryBackend(() => {
  test("a run that was stopped and resumed ends like one that was not", async () => {
    const straight = trainerOf();
    const whole = await train({ trainer: straight, batches, steps: 7 });
    expect(whole).toMatchObject({ steps: 7, stepsRun: 7, resumedFrom: null, stopped: false });

    const store = memoryStore();
    const controller = new AbortController();
    const first = trainerOf();
    const half = await train({
      trainer: first,
      batches,
      steps: 7,
      store,
      signal: controller.signal,
      onEvent: (event) => event.type === "step" && event.step === 4 && controller.abort(),
    });
    expect(half).toMatchObject({ steps: 5, stepsRun: 5, stopped: true });

    const second = trainerOf();
    const rest = await train({ trainer: second, batches, steps: 7, store });
    expect(rest).toMatchObject({ steps: 7, stepsRun: 2, resumedFrom: 5, stopped: false });
    expect(rest.loss).toBe(whole.loss);
    expect(values(second)).toEqual(values(straight));
    for (const trainer of [straight, first, second]) trainer.dispose();
  });

  test("tells of steps, epochs, evaluations and savings in their order", async () => {
    const trainer = trainerOf();
    const events: TrainEvent[] = [];
    const found = [20, 30, 25];
    const result = await train({
      trainer,
      batches,
      steps: 4,
      store: memoryStore(),
      numberedEvery: 2,
      evaluate: {
        every: 3,
        atStart: true,
        run: async ({ params }) => {
          expect(params.cls_token?.shape).toEqual([1, 1, 12]);
          return { knn: { 10: found.shift() as number } };
        },
      },
      onEvent: (event) => events.push(event),
    });
    expect(
      events.map((event) => `${event.type} ${"name" in event ? event.name : ""}`.trim()),
    ).toEqual([
      "evaluation",
      "step",
      "step",
      "saved step2",
      "step",
      "epoch",
      "evaluation",
      "saved best",
      "saved last",
      "step",
      "evaluation",
      "saved step4",
      "saved last",
    ]);
    expect(result.evaluations.map(({ step, result }) => [step, result.knn?.["10"]])).toEqual([
      [0, 20],
      [3, 30],
      [4, 25],
    ]);
    trainer.dispose();
  });

  test("a loss that is not finite ends the run before anything is saved", async () => {
    const trainer = trainerOf({ learningRate: () => 1e38 });
    const store = memoryStore();
    const run = train({ trainer, batches, steps: 6, store, saveEvery: 1 });
    await expect(run).rejects.toThrow(NonFiniteLossError);
    await expect(run).rejects.toThrow("loss: expected a finite number at step 2, got NaN");
    expect((await store.load())?.state.step).toBe(1);
    trainer.dispose();
  });

  test.each<[string, TeacherUpdate, number[]]>([
    ["copy", copy(), [0, 0, 0]],
    ["previousIteration", previousIteration(), [1, 1, 1]],
    ["previousEpoch", previousEpoch({ stepsPerEpoch: 2 }), [1, 0, 1]],
    ["ema that keeps nothing", ema(() => 0), [0, 0, 0]],
  ])("%s builds the teacher as it says", async (_, teacher, lags) => {
    const before = tf.memory().numTensors;
    const trainer = trainerOf({ teacher });
    for (const [i, lag] of lags.entries()) {
      trainer.train(cropsAt(i));
      const same = (trainer.teacher[probe] as tf.Tensor)
        .dataSync()
        .every((value, at) => value === (trainer.student[probe] as tf.Tensor).dataSync()[at]);
      expect(same).toBe(lag === 0);
    }
    trainer.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test("a predictor is trained on the student's side alone", () => {
    const trainer = trainerOf({
      predictor: {
        parameterShapes: { scale: [8] },
        init: () => ({ scale: tf.ones([8]) }),
        forward: (params, logits) => tf.mul(logits, params.scale as tf.Tensor),
      },
    });
    for (let i = 0; i < 2; i++) trainer.train(cropsAt(i));
    expect(Object.keys(trainer.teacher)).not.toContain("predictor.scale");
    expect(trainer.student["predictor.scale"]?.dataSync()).not.toEqual(new Float32Array(8).fill(1));
    trainer.dispose();
  });

  test("a state goes through its flat form unchanged", () => {
    const trainer = trainerOf();
    trainer.train(cropsAt(0));
    const state = trainer.state();
    expect(unflattenState(flattenState(state))).toEqual(state);
    trainer.dispose();
  });

  test("takes its own state back", () => {
    const trainer = trainerOf();
    trainer.train(cropsAt(0));
    trainer.restore(trainer.state());
    trainer.train(cropsAt(1));
    expect(trainer.step).toBe(2);
    trainer.dispose();
  });

  test("says what is wrong with a state or with crops", () => {
    const trainer = trainerOf();
    const state = trainer.state();
    const cls = "backbone.cls_token";
    expect(() =>
      trainer.restore({ ...state, student: { ...state.student, [cls]: tf.zeros([1, 1, 5]) } }),
    ).toThrow("student.backbone.cls_token: expected shape [1, 1, 12], got [1, 1, 5]");
    expect(() => trainer.train([tf.zeros([3, 16, 16, 3])])).toThrow(
      "crops: expected 2 global crops of every picture first, got 3 rows",
    );
    trainer.dispose();
  });
});

const probe = "backbone.blocks.0.mlp.fc1.weight";

const batches = {
  perEpoch,
  batchSize,
  async *steps({ from, to }: { from: number; to: number }) {
    for (let step = from; step < to; step++) yield cropsAt(step);
  },
};

function cropsAt(step: number): tf.Tensor4D[] {
  return [
    named(`step${step}.global`, [2 * batchSize, 16, 16, 3]),
    named(`step${step}.local`, [batchSize, 8, 8, 3]),
  ];
}

function trainerOf(changes: Partial<Parameters<typeof createTrainer>[0]> = {}): Trainer {
  const backbone = vit({
    embedDim: 12,
    depth: 2,
    heads: 3,
    patchSize: 8,
    imageSize: 16,
    dropPath: 0.2,
  });
  const head = dinoHead({ inputs: 12, prototypes: 8, hidden: 10, bottleneck: 6 });
  return createTrainer({
    network: dinoNetwork(backbone, head),
    loss: dinoLoss({ prototypes: 8 }),
    optimizer: adamW(),
    teacher: ema(() => 0.9),
    learningRate: () => 1e-2,
    weightDecay: () => 0.04,
    teacherTemperature: () => 0.04,
    seed: 3,
    ...changes,
  } as Parameters<typeof createTrainer>[0]);
}

function values(trainer: Trainer): Record<string, Float32Array> {
  const { tensors } = flattenState(trainer.state() as unknown as Tree);
  return Object.fromEntries(
    Object.entries(tensors).map(([name, x]) => [name, x.dataSync() as Float32Array]),
  );
}

/** Keeps copies: what was saved must not change with the trainer. */
function memoryStore() {
  let last: SavedRun | undefined;
  return {
    load: async () => last,
    save: async ({ state, progress }: SavedRun, name: string) => {
      if (name !== "last") return;
      const { tensors, numbers } = flattenState(state as unknown as Tree);
      const copies = Object.entries(tensors).map(
        ([key, x]) => [key, tf.keep(tf.clone(x))] as const,
      );
      last = { state: unflattenState({ tensors: Object.fromEntries(copies), numbers }), progress };
    },
    record: () => {},
  };
}
