import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { differences, step } from "../../ops/test/every-operation.ts";
import { addon } from "../src/addon.ts";
import type { NativeBackend } from "../src/native-backend.ts";
import { registerNativeBackend } from "../src/register.ts";
import { describeWithAddon } from "./needs-addon.ts";

describeWithAddon("the native kernels", () => {
  let threads = 1;
  let instructions = "";

  beforeAll(async () => {
    registerNativeBackend();
    await tf.setBackend("native");
    ({ threads, instructions } = addon().describeMachine());
  });
  afterAll(async () => {
    addon().configureMachine(threads);
    await tf.setBackend("cpu");
  });

  test("give the same bits on any number of threads", async () => {
    addon().configureMachine(1);
    const alone = await step();
    for (const count of [2, 3, 5]) {
      addon().configureMachine(count);
      for (const [name, off] of differences(alone, await step())) expect(off, name).toBe(0);
    }
    addon().configureMachine(threads);
  });

  test("agree on every kind of instructions", async () => {
    await expectKindsToAgree(1e-5);
  });

  test("agree in bfloat16 on every kind of instructions", async () => {
    const backend = tf.backend() as NativeBackend;
    backend.precision = "bf16";
    try {
      // Nearer by far than to float32; a sum may yet be kept as one bfloat16 or its neighbour.
      await expectKindsToAgree(1e-3);
    } finally {
      backend.precision = "fp32";
    }
  });

  async function expectKindsToAgree(tolerance: number): Promise<void> {
    const best = await step();
    for (const kind of ["AVX2", "portable"]) {
      if (kind === "AVX2" && instructions === "portable") continue;
      addon().configureMachine(threads, kind);
      expect(addon().describeMachine().instructions).toBe(kind);
      for (const [name, off] of differences(best, await step())) {
        expect(off, `${name}, ${kind}`).toBeLessThan(tolerance);
      }
    }
    addon().configureMachine(threads);
  }

  test("keep to a few hundredths of float32 in bfloat16", async () => {
    const exact = await step();
    const backend = tf.backend() as NativeBackend;
    backend.precision = "bf16";
    const rounded = await step();
    backend.precision = "fp32";
    const off = differences(exact, rounded);
    for (const [name, difference] of off) expect(difference, name).toBeLessThan(0.04);
    // And it does round: products of float32 would be nearer by far.
    expect(Math.max(...off.map(([, difference]) => difference))).toBeGreaterThan(1e-4);
  });

  test("refuse instructions and threads that are not there", () => {
    expect(() => addon().configureMachine(0)).toThrow("threads: expected from 1 to 1024, got 0");
    expect(() => addon().configureMachine(1, "abacus")).toThrow(/expected one of .*, got abacus/);
  });

  test("refuse arrays that do not fit, or lie on each other", () => {
    const native = addon();
    const [x, y] = [new Float32Array(6), new Float32Array(6)];
    const size = { rows: 2, inputs: 3, outputs: 3, bf16: false };
    const weight = new Float32Array(9);
    const bias = new Float32Array(3);
    expect(() => native.affine(x, bias, bias, "none", y, undefined, size)).toThrow(
      "weight: expected 9 elements, got 3",
    );
    expect(() => native.affine(x, weight, bias, "none", x, undefined, size)).toThrow(
      "results: expected memory of their own, got some of another array",
    );
    expect(() => native.affine(x, weight, bias, "tanh" as never, y, undefined, size)).toThrow(
      "activation: expected none, gelu or relu, got tanh",
    );
  });
});
