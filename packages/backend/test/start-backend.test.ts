import {
  activeBackend,
  BackendError,
  type Detection,
  describeEngines,
  registerEngine,
  startBackend,
} from "@dino/backend";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test, vi } from "vitest";

/** On a machine with several cores, and with one. */
const onWasm = /^own kernels in (relaxed )?SIMD, (1 thread: one core|\d+ threads)$/;

test("says in one line what runs and why", async () => {
  const line = await startBackend();
  expect(line).toMatch(
    /^backend: \w+ \(.+\) · asked: auto( · passed over: \w+ \(.+\)(, \w+ \(.+\))*)?$/,
  );
  const { name, details } = activeBackend();
  expect(line).toContain(`backend: ${name} (${details}) · `);
  expect(tf.getBackend()).toBe(name);
});

test("starts the one that is asked for by name, and tells what it runs on", async () => {
  const line = await startBackend("wasm");
  expect(line).toBe(`backend: wasm (${activeBackend().details}) · asked: wasm`);
  expect(activeBackend()).toEqual({
    name: "wasm",
    details: expect.stringMatching(onWasm),
    precision: "fp32",
    memoryBytes: 2 ** 32,
  });
  expect([...(await tf.add(1, 2).data())]).toEqual([3]);
});

test("starts as many threads as are asked for, and gives the same on all of them", async () => {
  const values = Float32Array.from({ length: 300 * 300 }, (_, i) => Math.sin(i));
  const product = async (threads: number) => {
    const line = await startBackend("wasm", { threads });
    expect(line).toMatch(threads === 1 ? /SIMD, 1 thread\)/ : `SIMD, ${threads} threads)`);
    const x = tf.tensor2d(values, [300, 300]);
    const y = tf.matMul(x, x, false, true);
    const result = await y.data();
    tf.dispose([x, y]);
    return result;
  };
  const one = await product(1);
  expect(await product(3)).toEqual(one);
  expect(await product(2)).toEqual(one);
});

test("refuses threads that are none", async () => {
  await expect(startBackend("wasm", { threads: 0 })).rejects.toThrow(
    "threads: expected an integer from 1 to 1024, got 0",
  );
});

test("registers the gradients of tfjs's own operations", async () => {
  await startBackend("wasm");
  const slope = tf.tidy(() => tf.grad((x) => tf.sum(tf.square(x)))(tf.tensor1d([1, 2, 3])));
  expect([...(await slope.data())]).toEqual([2, 4, 6]);
  slope.dispose();
});

test("does nothing when it is asked again, and switches when asked for another", async () => {
  const line = await startBackend("wasm");
  expect(await startBackend("wasm")).toBe(line);
  const kept = tf.tensor1d([1, 2]);
  expect(await startBackend("cpu")).toBe("backend: cpu (plain JavaScript) · asked: cpu");
  expect(tf.getBackend()).toBe("cpu");
  expect([...(await tf.add(kept, 1).data())]).toEqual([2, 3]);
  expect(await startBackend("wasm")).toBe(line);
  expect(tf.getBackend()).toBe("wasm");
  kept.dispose();
});

test("starts one after the other when asked for several at once", async () => {
  const lines = await Promise.all([startBackend("cpu"), startBackend("wasm")]);
  expect(lines.map((line) => line.split(" ")[1])).toEqual(["cpu", "wasm"]);
  expect(activeBackend().name).toBe("wasm");
});

test("keeps tfjs from advertising, and from catching errors to throw them again", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  await startBackend("cpu");
  await tf.add(1, 2).data();
  await startBackend("wasm");
  expect(warn).not.toHaveBeenCalled();
  warn.mockRestore();
  const sources = process.listeners("unhandledRejection").map(String);
  expect(sources.filter((source) => source.includes("throw reason"))).toEqual([]);
});

test("refuses a name that no engine has", async () => {
  await expect(startBackend("metal")).rejects.toThrow(BackendError);
  await expect(startBackend("metal")).rejects.toThrow(
    "backend: expected one of auto, tensorflow, webgpu, native, wasm, cpu, webgpu-stock, got metal",
  );
});

test("says when somebody else has chosen the backend", async () => {
  await startBackend("cpu");
  await startBackend("wasm");
  await tf.setBackend("cpu");
  expect(() => activeBackend()).toThrow(
    "backend: expected one that startBackend() has started, got cpu",
  );
});

test("describes every engine, and leaves the active one in place", async () => {
  await startBackend("wasm");
  const reports = await describeEngines();
  expect(new Set(reports.map(({ name }) => name))).toEqual(
    new Set(["tensorflow", "webgpu", "native", "wasm", "cpu", "webgpu-stock"]),
  );
  expect(reports.filter(({ active }) => active)).toEqual([
    {
      name: "wasm",
      active: true,
      available: true,
      details: expect.stringMatching(onWasm),
      memoryBytes: 2 ** 32,
    },
  ]);
  for (const { available, reason } of reports) {
    if (!available) expect(reason).toMatch(/\w/);
  }
  expect(tf.getBackend()).toBe("wasm");
});

/** cpu as others might bring it, with a note of the precision of each start. */
function registerMadeUp(detection: Partial<Detection> = {}): readonly unknown[] {
  const starts: unknown[] = [];
  registerEngine({
    name: "cpu",
    order: 1,
    detect: async () => ({ available: true, details: "made up", ...detection }),
    start: async ({ precision }) => {
      starts.push(precision);
      await tf.setBackend("cpu");
    },
  });
  return starts;
}

const both: Partial<Detection> = { precisions: ["fp32", "bf16"] };

test("takes engines of others, also in place of its own", async () => {
  registerMadeUp();
  expect(await startBackend()).toBe("backend: cpu (made up) · asked: auto");
});

test("says in the line what it computes in, where that is not fp32", async () => {
  registerMadeUp(both);
  const line = "backend: cpu (made up, bf16) · asked: auto";
  expect(await startBackend("auto", { precision: "bf16" })).toBe(line);
  expect(activeBackend()).toEqual({ name: "cpu", details: "made up", precision: "bf16" });
  expect(await startBackend("cpu")).toBe("backend: cpu (made up) · asked: cpu");
  expect(activeBackend().precision).toBe("fp32");
});

test("says which precision was taken where that was left to it, and why not bf16", async () => {
  registerMadeUp(both);
  expect(await startBackend("cpu", { precision: "auto" })).toBe(
    "backend: cpu (made up, bf16) · asked: cpu · precision: bf16, asked: auto",
  );
  registerMadeUp({ withoutBf16: "the processor lacks it" });
  expect(await startBackend("cpu", { precision: "auto" })).toBe(
    "backend: cpu (made up) · asked: cpu · precision: fp32 (no bf16: the processor lacks it), asked: auto",
  );
});

test("starts again for another precision, and does nothing for the same", async () => {
  const starts = registerMadeUp(both);
  await startBackend("cpu");
  await startBackend("cpu", { precision: "bf16" });
  await startBackend("cpu", { precision: "bf16" });
  await startBackend("cpu", { precision: "fp32" });
  await startBackend("cpu");
  expect(starts).toEqual(["fp32", "bf16", "fp32"]);
});
