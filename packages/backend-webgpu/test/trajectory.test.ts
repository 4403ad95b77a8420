import { golden, onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { cropsAt, type Trajectory, trainerOf } from "../../trainer/test/golden-runs.ts";

const { runs } = golden<Trajectory>("trajectory");

onEveryBackend(
  () => {
    // A software adapter takes its time: the whole runs are among the tests that take long.
    test.each(runs.map((run, i) => [i, run.optimizer, run] as const))(
      "run %i, %s, begins as the reference's, and leaks nothing",
      async (_, __, run) => {
        const before = tf.memory().numTensors;
        const trainer = trainerOf(run);
        for (const [i, step] of run.steps.slice(0, 3).entries()) {
          trainer.train(cropsAt(i, run));
          const { loss } = await trainer.metrics();
          expect(Math.abs(loss / step.loss - 1)).toBeLessThan(1e-4);
        }
        trainer.dispose();
        expect(tf.memory().numTensors).toBe(before);
      },
    );
  },
  { waits: true },
);
