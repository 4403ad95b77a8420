import { activeBackend, startBackend } from "@dino/backend";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { askWorker } from "./ask-worker.ts";
import { geluLayer } from "./gelu-layer.ts";

const line = /^backend: wasm \(own kernels in (relaxed )?SIMD, (1 thread: one core|\d+ threads)\)/;

test("starts in a page, with SIMD kernels that compute what plain JavaScript does", async () => {
  await startBackend("cpu");
  const plain = await geluLayer();
  expect(await startBackend("wasm")).toMatch(line);
  expect(activeBackend().name).toBe("wasm");
  const before = tf.memory().numTensors;
  expectSame(await geluLayer(), plain);
  expect(tf.memory().numTensors).toBe(before);
});

test("starts in a worker, and computes the same to the bit", async () => {
  await startBackend("wasm");
  const there = await askWorker<{ line: string; results: number[][] }>({ engine: "wasm" });
  expect(there.line).toMatch(line);
  expect(there.results).toEqual(await geluLayer());
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
