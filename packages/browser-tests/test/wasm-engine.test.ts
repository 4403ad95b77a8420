import { activeBackend, startBackend } from "@dino/backend";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { askWorker } from "./ask-worker.ts";
import { geluLayer } from "./gelu-layer.ts";
import type { Trained } from "./train-steps.ts";

const line = /^backend: wasm \(own kernels in (relaxed )?SIMD, 2 threads\) · asked: wasm$/;
const threads = 2; // however many cores there are

test("starts in a page, with SIMD kernels that compute what plain JavaScript does", async () => {
  await startBackend("cpu");
  const plain = await geluLayer();
  expect(await startBackend("wasm", { threads })).toMatch(line);
  expect(activeBackend().name).toBe("wasm");
  const before = tf.memory().numTensors;
  expectSame(await geluLayer(), plain);
  expect(tf.memory().numTensors).toBe(before);
});

test("starts in a worker, and computes the same to the bit", async () => {
  await startBackend("wasm", { threads });
  const question = { engine: "wasm", threads };
  const there = await askWorker<{ line: string; results: number[][] }>(question);
  expect(there.line).toMatch(line);
  expect(there.results).toEqual(await geluLayer());
});

test("trains in a worker on two threads as on one, and leaves no tensors", async () => {
  const [one, two] = [
    await askWorker<Trained>({ steps: 4, threads: 1 }),
    await askWorker<Trained>({ steps: 4, threads: 2 }),
  ];
  expect(one.line).toMatch(/SIMD, 1 thread\)/);
  expect(two.line).toMatch(line);
  expect(two.losses).toEqual(one.losses);
  expect(two.losses[3]).toBeLessThan(two.losses[0] ?? 0);
  expect(two.tensors[1]).toBe(two.tensors[0]);
});

test("says what to do for an engine that no page has", async () => {
  await expect(startBackend("native")).rejects.toThrow(
    /^backend: expected one of .*wasm.*, got native$/,
  );
});

function expectSame(actual: readonly number[][], expected: readonly number[][]): void {
  for (const [i, values] of expected.entries()) {
    const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const worst = values.map(
      (value, j) => Math.abs(value - (actual[i]?.[j] ?? Number.NaN)) / scale,
    );
    expect(Math.max(...worst)).toBeLessThanOrEqual(1e-5);
  }
}
