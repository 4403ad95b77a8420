import { adamW } from "@dino/optimizers";
import { expectClose, expectDigest, golden, onEveryBackend } from "@dino/testing";
import { flattenState, previousIteration } from "@dino/trainer";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { cropsAt, type Run, type Trajectory, trainerOf } from "./golden-runs.ts";

const { runs } = golden<Trajectory>("trajectory");

/** Milliseconds: some seconds on a machine that has nothing else to do. */
const patience = 180_000;

onEveryBackend(
  (backend) => {
    // Products of a GPU are not rounded as those of a processor.
    const tolerance = backend === "webgpu" ? 1e-3 : 1e-5;

    test.each(runs.map((run, i) => [i, run.optimizer, run] as const))(
      "run %i, %s, takes the reference's course, and leaks no tensors",
      async (_, __, run) => {
        const before = tf.memory().numTensors;
        const trainer = trainerOf(run);
        const counts: number[] = [];
        for (const [i, step] of run.steps.entries()) {
          trainer.train(cropsAt(i, run));
          const metrics = await trainer.metrics();
          counts.push(tf.memory().numTensors);
          expect(Math.abs(metrics.loss / step.loss - 1)).toBeLessThan(tolerance);
          expect(metrics.learningRate).toBeCloseTo(step.lr, 12);
          expect(metrics.weightDecay).toBeCloseTo(step.wd, 12);
          expect(metrics.teacherMomentum).toBeCloseTo(step.momentum, 12);
        }
        // The last layer's moments come when it thaws.
        const thaw = run.freeze_last_layer * run.iters_per_epoch;
        expect(new Set(counts.slice(0, thaw)).size).toBeLessThanOrEqual(1);
        expect(new Set(counts.slice(thaw)).size).toBe(1);
        const center = tf.reshape(trainer.state().loss.center as tf.Tensor, [1, -1]);
        await center.data();
        expectClose(center, run.center, tolerance);
        center.dispose();
        for (const network of ["student", "teacher"] as const) {
          for (const [name, digest] of Object.entries(run[network])) {
            // The key bias has no gradient in exact arithmetic: AdamW makes rounding noise a step.
            const noisy = run.optimizer === "adamw" && name.endsWith("attn.qkv.bias");
            const parameter = trainer[network][name] as tf.Tensor;
            await parameter.data();
            expectDigest(parameter, digest, tolerance, noisy ? "ends" : "all");
          }
        }
        trainer.dispose();
        expect(tf.memory().numTensors).toBe(before);
      },
      patience,
    );

    if (backend === "native") {
      test.each(runs.map((run, i) => [i, run.optimizer, run] as const))(
        "run %i, %s, keeps near the reference's course in bfloat16",
        async (_, __, run) => {
          const native = tf.backend() as unknown as { precision: "fp32" | "bf16" };
          native.precision = "bf16";
          try {
            const trainer = trainerOf(run);
            for (const [i, step] of run.steps.entries()) {
              trainer.train(cropsAt(i, run));
              const { loss } = await trainer.metrics();
              expect(Math.abs(loss / step.loss - 1)).toBeLessThan(0.05);
            }
            trainer.dispose();
          } finally {
            native.precision = "fp32";
          }
        },
      );
    }

    // Plain JavaScript is the slowest, and how a step is put together the same everywhere.
    if (backend !== "cpu") {
      test("a batch in parts takes the same course", async () => {
        const run = runs[0] as Run;
        const whole = trainerOf(run);
        const inParts = trainerOf(run, { microBatch: 1 });
        for (let i = 0; i < 4; i++) {
          whole.train(cropsAt(i, run));
          inParts.train(cropsAt(i, run));
          const [a, b] = [await whole.metrics(), await inParts.metrics()];
          expect(Math.abs(a.loss / b.loss - 1)).toBeLessThan(1e-5);
          expect(Math.abs(a.gradientNorm / b.gradientNorm - 1)).toBeLessThan(1e-5);
        }
        whole.dispose();
        inParts.dispose();
      });
    }

    test("a step in one pass takes the same course, to the bit", {
      timeout: patience,
    }, async () => {
      const run = { ...(runs[0] as Run), clip_grad: 0.3 };
      const { init, update, updateInOnePass } = adamW();
      let passes = 0;
      const inOnePass = trainerOf(run, {
        optimizer: {
          init,
          update,
          updateInOnePass: (params, gradients, state, at) => {
            passes++;
            expect(Object.keys(at.averages?.params ?? {})).toContain("head.last_layer.weight_v");
            return updateInOnePass(params, gradients, state, at);
          },
        },
      });
      const apart = trainerOf(run, { optimizer: { init, update } });
      // The last layer thaws on the way.
      for (let i = 0; i < 5; i++) {
        inOnePass.train(cropsAt(i, run));
        apart.train(cropsAt(i, run));
        expect((await inOnePass.metrics()).gradientNorm).toBe((await apart.metrics()).gradientNorm);
      }
      expect(passes).toBe(5);
      const [own, other] = [inOnePass, apart].map((trainer) => flattenState(trainer.state()));
      expect(Object.keys(own?.tensors ?? {}).sort()).toEqual(
        Object.keys(other?.tensors ?? {}).sort(),
      );
      for (const [name, tensor] of Object.entries(other?.tensors ?? {})) {
        expect(await own?.tensors[name]?.data(), name).toEqual(await tensor.data());
      }
      inOnePass.dispose();
      apart.dispose();
    });

    test("another teacher than an average is built the same way after a step in one pass", async () => {
      const run = runs[0] as Run;
      const trainer = trainerOf(run, { teacher: previousIteration() });
      trainer.train(cropsAt(0, run));
      const name = "backbone.blocks.0.attn.proj.weight";
      const first = (await trainer.student[name]?.data())?.slice();
      trainer.train(cropsAt(1, run));
      expect(await trainer.teacher[name]?.data()).toEqual(first);
      expect(await trainer.student[name]?.data()).not.toEqual(first);
      trainer.dispose();
    });
  },
  { waits: true },
);
