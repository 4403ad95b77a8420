import { golden, onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, expect, test } from "vitest";
import { differences, step } from "../../ops/test/every-operation.ts";
import { cropsAt, type Trajectory, trainerOf } from "../../trainer/test/golden-runs.ts";
import type { DinoWebGPUBackend } from "../src/webgpu-backend.ts";

const { runs } = golden<Trajectory>("trajectory");

onEveryBackend(
  () => {
    const compute = (precision: "fp32" | "f16") => {
      (tf.backend() as DinoWebGPUBackend).precision = precision;
    };
    afterAll(() => compute("fp32"));

    test("every operation keeps to a few thousandths of float32", {
      timeout: 300_000,
    }, async () => {
      const exact = await step();
      compute("f16");
      for (const [name, difference] of differences(exact, await step())) {
        expect(difference, name).toBeLessThan(5e-3);
      }
    });

    test.each(runs.map((run, i) => [i, run.optimizer, run] as const))(
      "run %i, %s, keeps near the reference's course",
      { timeout: 600_000 },
      async (_, __, run) => {
        compute("f16");
        const trainer = trainerOf(run);
        for (const [i, step] of run.steps.entries()) {
          trainer.train(cropsAt(i, run));
          const { loss } = await trainer.metrics();
          expect(Math.abs(loss / step.loss - 1)).toBeLessThan(5e-3);
        }
        trainer.dispose();
      },
    );
  },
  { waits: true },
);
