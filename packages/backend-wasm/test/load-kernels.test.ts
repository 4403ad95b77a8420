import { expect, test } from "vitest";
import { loadKernels, type Memory } from "../src/load-kernels.ts";

declare const WebAssembly: {
  Memory: new (limits: { initial: number; maximum?: number; shared?: boolean }) => Memory;
};

test.each([
  ["one thread's own", { initial: 64 }],
  ["one thread's own, with a limit", { initial: 64, maximum: 64 }],
  ["one that threads share", { initial: 64, maximum: 128, shared: true }],
])("the kernels run on a memory that is %s, and write nothing by themselves", async (_, limits) => {
  const memory = new WebAssembly.Memory(limits);
  const { kernels } = await loadKernels(memory);
  const values = new Float32Array(memory.buffer);
  expect(values.every((value) => value === 0)).toBe(true);
  values.set([1, 2, 3, 4, 5, 6], 256);
  kernels.transpose(1024, 1, 2, 3, 2048);
  expect([...values.subarray(512, 518)]).toEqual([1, 4, 2, 5, 3, 6]);
  const all = 64 * 65536;
  kernels.product(
    1024,
    12,
    4,
    2048,
    8,
    4,
    4096,
    8,
    2,
    2,
    3,
    0,
    0,
    all - kernels.productScratch.value,
  );
  expect([...values.subarray(1024, 1028)]).toEqual([14, 32, 32, 77]);
});
