import { afterAll, expect, test, vi } from "vitest";
import { threadsFor } from "../src/heap.ts";
import type { Kernels, WindowSizes } from "../src/kernels.ts";
import { loadKernels, type Memory } from "../src/load-kernels.ts";
import { cuts, sums } from "../src/threads/cuts.ts";
import { hostThreads } from "../src/threads/host-threads.ts";
import { createPool, type Pool } from "../src/threads/pool.ts";
import { startPool, threadsOn } from "../src/threads/start-pool.ts";
import { kernelFunctions, threadedKernels } from "../src/threads/threaded-kernels.ts";

interface SharedMemory extends Memory {
  grow(pages: number): number;
}
declare const WebAssembly: {
  Memory: new (limits: { initial: number; maximum: number; shared: true }) => SharedMemory;
};

const page = 65536;
const memory = new WebAssembly.Memory({ initial: 128, maximum: 512, shared: true });
const { kernels, module } = await loadKernels(memory);
const functions = kernelFunctions(kernels);
const pools = await Promise.all(
  [1, 2, 3].map((threads) => createPool({ threads, module, memory, functions })),
);

afterAll(() => {
  for (const pool of pools) pool.close();
});

/** Where tensors lie, a quarter of a megabyte each, and behind them what kernels work in. */
const place = (i: number) => 262_144 * (i + 1);
const [a, b, c, d, e, f, g, h, i, j] = Array.from({ length: 10 }, (_, at) => place(at)) as Ten;
type Ten = [number, number, number, number, number, number, number, number, number, number];
const scratch = place(12);
const dim = 24;
const [heads, tokens, sequences] = [3, 17, 5];
const row = 4 * dim;
/** 3 x 3 windows that lie over each other, on pictures of 9 x 7 pixels with 5 channels. */
const windows: WindowSizes = [6, 9, 7, 5, 3, 3, 2, 2, 1, 1, 5, 4];

/** Every kernel that is cut, on sizes that parts do not go into evenly. */
const calls: { readonly [Name in keyof Kernels]?: (kernels: Kernels) => unknown } = {
  product: (k) => {
    k.product(a, 4 * 61, 4, b, 4 * 107, 4, c, 4 * 107, 53, 107, 61, d, 0, scratch);
    k.product(a, 4, 4 * 53, b, 4, 4 * 61, c, 4 * 107, 53, 107, 61, 0, 1, scratch);
  },
  attend: (k) =>
    k.attend(a, row, b, c, row, d, row, sequences, tokens, tokens, heads, dim / heads, scratch),
  attendBack: (k) =>
    k.attendBack(
      ...([a, row, b, c, row, d, row, e, f, g, sequences, tokens, tokens, heads] as const),
      ...([dim / heads, scratch] as const),
    ),
  attentionWeights: (k) =>
    k.attentionWeights(a, b, row, c, sequences, tokens, heads, dim / heads, scratch),
  layerNorm: (k) => k.layerNorm(a, b, c, 1e-6, 77, 37, d, e, f),
  layerNormAgain: (k) => k.layerNormAgain(a, b, c, d, e, 77, 37, f),
  layerNormBack: (k) => {
    k.layerNormBack(a, b, c, d, e, f, 600, 37, g, h, i);
    k.layerNormBack(a, b, c, d, e, 0, 600, 37, j, h, i);
  },
  unitRows: (k) => k.unitRows(a, 1e-12, 77, 37, b, c),
  unitRowsBack: (k) => k.unitRowsBack(a, b, c, 1e-12, 77, 37, d),
  normedWeight: (k) => k.normedWeight(a, b, 77, 37, c, d),
  normedWeightBack: (k) => k.normedWeightBack(a, b, c, 77, 37, d, e),
  softmax: (k) => k.softmax(a, 0.3, 77, 37, b),
  gelu: (k) => k.gelu(a, b, 5003),
  geluParts: (k) => k.geluParts(a, b, c, 5003),
  geluBack: (k) => k.geluBack(a, b, c, 5003),
  relu: (k) => k.relu(a, b, 5003),
  reluBack: (k) => k.reluBack(a, b, c, 5003),
  add: (k) => k.add(a, b, 5003),
  multiply: (k) => k.multiply(a, b, 5003),
  scale: (k) => k.scale(a, 1.3, 5003, b),
  scaleRuns: (k) => k.scaleRuns(a, b, 77, 37, c),
  sumRows: (k) => {
    k.sumRows(a, 0, 130, 101, 4 * 101, b);
    k.sumRows(a, c, 130, 101, 4 * 101, d);
  },
  transpose: (k) => k.transpose(a, 7, 13, 11, b),
  copyRuns: (k) => k.copyRuns(a, 0, b, 4 * 41, 23, 4 * 37),
  addRuns: (k) => k.addRuns(a, 4 * 37, b, 4 * 41, 23, 37),
  gatherWindows: (k) => k.gatherWindows(a, ...windows, b),
  addWindows: (k) => k.addWindows(a, ...windows, b),
  maxPoolBack: (k) => k.maxPoolBack(a, b, ...windows, c),
  movingAverage: (k) => k.movingAverage(a, b, 0.9, 5003),
  adamW: (k) => k.adamW(a, b, c, d, 5003, 0.5, 0.99, 0.9, 0.999, 1e-3, 1, 1e-8),
  descend: (k) => k.descend(a, b, c, 5003, 0, 0.1, 0.01, 0.9, 1),
  squaredNorm: (k) => k.squaredNorm(a, 400_003),
  squaredDirection: (k) => k.squaredDirection(a, c, 0.1, 400_003),
  crossEntropy: (k) => k.crossEntropy(a, b, 4, 2, 7, 37, 4 * 7 * 37, 0.1, scratch),
  crossEntropyBack: (k) => k.crossEntropyBack(a, b, 4, 2, 7, 37, 4 * 7 * 37, 0.1, 0.5, c, scratch),
};

test("every kernel that is cut is tried", () => {
  expect(Object.keys(calls).sort()).toEqual(Object.keys({ ...cuts, ...sums }).sort());
});

test.each(Object.entries(calls))("%s gives the same bits on 1, 2 and 3 threads", (_, call) => {
  const results = pools.map((pool) => {
    fill();
    const { counted, jobs } = counting(pool);
    const value = call(threadedKernels(kernels, counted, 0));
    expect(jobs() > 0).toBe(pool.threads > 1);
    return { value, bytes: Buffer.from(memory.buffer, 0, scratch).toString("latin1") };
  });
  const [one, ...others] = results;
  for (const { value, bytes } of others) {
    expect(value).toBe(one?.value);
    expect(bytes === one?.bytes).toBe(true);
  }
});

test("no more threads share work than there is room for", () => {
  const functions = kernelFunctions(kernels);
  const pool = pools[2] as Pool;
  fill();
  kernels.gelu(a, b, 4096);
  const expected = Buffer.from(memory.buffer, b, 16_384).toString("latin1");
  for (let again = 0; again < 50; again++) {
    fill();
    pool.together({
      kernel: Object.keys(functions).indexOf("gelu"),
      args: [a, b, 4096],
      axes: [{ total: 4096, each: 256, count: 2, steps: [0, 1].map((each) => [each, 4] as const) }],
      // Whoever else took part would write elsewhere.
      scratch: { argument: 1, bytes: 65_536 },
      threads: 1,
    });
    expect(Buffer.from(memory.buffer, b, 16_384).toString("latin1") === expected).toBe(true);
  }
  expect(threadsFor(1000, 16)).toBe(16);
  expect(threadsFor(2 ** 27, 16)).toBe(2);
  expect(threadsFor(2 ** 30, 16)).toBe(1);
});

test("work that takes less than it takes to wake a thread is not shared", () => {
  const { counted, jobs } = counting(pools[1] as Pool);
  const shared = threadedKernels(kernels, counted);
  shared.gelu(a, b, 1000);
  expect(jobs()).toBe(0);
  shared.gelu(a, b, 60_000);
  expect(jobs()).toBe(1);
});

test("what goes wrong in a thread is thrown, and the next kernel runs", () => {
  const shared = threadedKernels(kernels, pools[2] as Pool, 0);
  const outside = 2 ** 31;
  expect(() => shared.gelu(a, outside, 5003)).toThrow(
    /^wasm kernels: a thread failed: RuntimeError: .*memory access out of bounds/,
  );
  fill();
  kernels.gelu(a, b, 5003);
  shared.gelu(a, c, 5003);
  const values = (at: number) => Buffer.from(memory.buffer, at, 4 * 5003);
  expect(values(c).equals(values(b))).toBe(true);
});

test("threads see memory that was added after they started", () => {
  const added = page * memory.grow(64);
  const shared = threadedKernels(kernels, pools[2] as Pool, 0);
  fill();
  kernels.gelu(a, b, 5003);
  for (let again = 0; again < 20; again++) {
    const to = added + page * again;
    shared.gelu(a, to, 5003);
    shared.copyRuns(to, 400, to + 32_768, 400, 50, 400);
    const copied = Buffer.from(memory.buffer, to + 32_768, 20_000);
    expect(copied.equals(Buffer.from(memory.buffer, b, 20_000))).toBe(true);
  }
});

test("a thread that does not start is an error", async () => {
  const options = { threads: 2, module: {}, memory, functions };
  await expect(createPool(options)).rejects.toThrow("WebAssembly.Instance");
});

test("where threads do not start, there is one, and the reason", async () => {
  const { pool, reason } = await startPool({ threads: 2, module: {}, memory, functions });
  expect(pool.threads).toBe(1);
  expect(reason).toMatch(/^threads do not start: WebAssembly.Instance/);
  expect(threadedKernels(kernels, pool, 0).squaredNorm(a, 400_003)).toBeGreaterThan(0);
});

test("a page that is not isolated and a memory that is not shared have one thread, and say so", () => {
  const own = { buffer: new ArrayBuffer(8) };
  expect(threadsOn(own, 2)).toEqual({ threads: 1, reason: "its memory is not shared" });
  expect(threadsOn(own, 1)).toEqual({ threads: 1 });
  expect(threadsOn(memory, 3)).toEqual({ threads: 3 });
  expect(() => threadsOn(memory, 0)).toThrow("threads: expected an integer from 1 to 1024, got 0");
  vi.stubGlobal("crossOriginIsolated", false);
  const reason = "the page is not cross-origin isolated";
  expect(hostThreads()).toEqual({ threads: 1, reason, canShare: false });
  expect(threadsOn(memory, 3)).toMatchObject({ threads: 1, reason });
  vi.unstubAllGlobals();
});

/** Numbers from -1 to 1, everywhere. */
function fill(): void {
  const values = new Float32Array(memory.buffer, 0, scratch / 4);
  let state = 1;
  for (let at = 0; at < values.length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    values[at] = state / 2 ** 31;
  }
}

/** The same pool, and how many jobs its threads have shared. */
function counting(pool: Pool): { readonly counted: Pool; readonly jobs: () => number } {
  let count = 0;
  const together: Pool["together"] = (job) => {
    count++;
    return pool.together(job);
  };
  return { counted: { ...pool, together }, jobs: () => count };
}
