import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { contender } from "../train-step/contender.mjs";
import { stepGflop } from "../train-step/flops.mjs";
import { higher } from "../train-step/peak.mjs";
import { presets } from "../train-step/presets.mjs";
import { figuresOf, table } from "../train-step/report.mjs";
import { takeTurns } from "../train-step/turns.mjs";

const program = fileURLToPath(new URL("../train-step.mjs", import.meta.url));

test.each([
  ["ViT-S/16", presets["vit-s"], 113.43, 2],
  ["ViT-Ti/16", presets["vit-ti"], 31.2, 1],
  ["ViT-B/16", { ...presets["vit-s"], width: 768 }, 434.8, 1],
])("counts the operations of a step of %s", (_, sizes, gflop, digits) => {
  expect(stepGflop(sizes)).toBeCloseTo(gflop, digits);
});

test.each([
  ["without local crops", 0, 65_536, 6.2],
  ["with small ones", 6, 65_536, 10.3],
  ["with few prototypes", 6, 4096, 9.5],
])("counts a step of small pictures %s", (_, locals, prototypes, gflop) => {
  const sizes = { patch: 4, globalSize: 32, localSize: 16, locals, prototypes };
  expect(stepGflop({ ...presets.small, ...sizes })).toBeCloseTo(gflop, 1);
});

/** A contender that takes some milliseconds for a step, and notes whether another one runs. */
function fake(name: string, milliseconds: number, log: string[], failsAt = Number.NaN) {
  let steps = 0;
  return {
    name,
    ask: async (word: string) => {
      if (word === "finish") return { peakRssBytes: 1000 };
      if (steps++ === failsAt) throw new Error("out of memory");
      log.push(`${name} begins`);
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      log.push(`${name} ends`);
      return { seconds: steps, loss: 10 - steps };
    },
  };
}

test("lets one after the other train, each round begun by another", async () => {
  const log: string[] = [];
  const results = await takeTurns([fake("a", 3, log), fake("b", 1, log)], {
    ...{ warmup: 1, rounds: 2, rest: 0 },
  });
  const turns = ["a", "b", "b", "a", "a", "b"];
  expect(log).toEqual(turns.flatMap((name) => [`${name} begins`, `${name} ends`]));
  const result = { seconds: [2, 3], losses: [9, 8, 7], peakRssBytes: 1000 };
  expect(results).toEqual(new Map(["a", "b"].map((name) => [name, result])));
});

test("goes on without one that fails", async () => {
  const log: string[] = [];
  const results = await takeTurns([fake("a", 0, log, 1), fake("b", 0, log)], {
    ...{ warmup: 0, rounds: 3, rest: 0 },
  });
  expect(results.get("a").failure).toBe("out of memory");
  expect(results.get("b").seconds).toEqual([1, 2, 3]);
});

const measured = figuresOf({
  ...{ batch: 4, gflopPerImage: 10, peak: { kind: "fma", gflops: 100 } },
  contenders: [
    { name: "torch", peer: true },
    { name: "torch sdpa", peer: true },
    { name: "native", peer: false },
    { name: "wasm", peer: false },
  ].map((each) => ({ ...each, runsOn: "here", readyRssBytes: 1 })),
  results: new Map<string, object>([
    ["torch", { seconds: [1, 2, 2], losses: [3, 2], peakRssBytes: 2e9 }],
    ["torch sdpa", { seconds: [0.8, 4, 5], losses: [3, 2], peakRssBytes: 2e9 }],
    ["native", { seconds: [0.5, 1, 4], losses: [3, 1], peakRssBytes: 1e9 }],
    ["wasm", { seconds: [], losses: [], failure: "out of memory" }],
  ]),
});

test("compares with the best of the peer, and with the processor's peak", () => {
  const [torch, , native, wasm] = measured;
  expect(native.imagesPerSecond).toEqual({ best: 8, median: 4 });
  expect(native.ratio.best).toBeCloseTo(1.6, 12); // sdpa has the peer's best step, 5 img/s
  expect(native.ratio.median).toBeCloseTo(2, 12); // plain has its best median, 2 img/s
  expect(native.shareOfPeak).toBeCloseTo(0.8, 12);
  expect(torch.ratio.best).toBeCloseTo(0.8, 12);
  expect(wasm).toEqual({ name: "wasm", peer: false, failure: "out of memory" });
});

test("shows the fastest first, and what failed last", () => {
  const lines = table(measured);
  expect(lines.slice(1).map((line: string) => line.split(/ {2,}|:/)[0])).toEqual([
    "native",
    "torch sdpa",
    "torch",
    "wasm",
  ]);
  expect(lines[1]).toMatch(/8\.00 +4\.00 +1\.60 +80\.0 % +1\.00 GB +3\.0000 to 1\.0000$/);
});

test("takes the higher of two peaks, or the only one", () => {
  const [low, high] = [{ gflops: 1 }, { gflops: 2 }];
  expect([higher(low, high), higher(high, low), higher(undefined, low)]).toEqual([high, high, low]);
});

const script = (source: string) =>
  contender({ name: "it", command: process.execPath, args: ["-e", source] });

test("talks with a program in lines of JSON, and leaves others alone", async () => {
  const echo = script(`
    console.log("{ a greeting"); console.log(JSON.stringify({ runsOn: "node" }));
    process.stdin.on("data", (word) => console.log(JSON.stringify({ word: String(word).trim() })));`);
  expect(await echo.ready()).toEqual({ runsOn: "node" });
  expect(await echo.ask("step")).toEqual({ word: "step" });
  echo.stop();
});

test("says how a program ended that should not have", async () => {
  await expect(script("throw new Error('no memory')").ready()).rejects.toThrow(
    /^it: ended with 1: /,
  );
  await expect(script(`console.log('{"error":"no such engine"}')`).ready()).rejects.toThrow(
    "no such engine",
  );
  const missing = contender({ name: "it", command: "/no/such/program", args: [] });
  await expect(missing.ready()).rejects.toThrow("it: spawn /no/such/program ENOENT");
});

const trainStep = (...words: string[]) =>
  promisify(execFile)(process.execPath, [program, ...words]);

test("prints one document of figures, and says what is left out", async () => {
  const { stdout, stderr } = await trainStep(
    ...["--presets", "micro", "--backends", "wasm", "--no-peer", "--json"],
    ...["--warmup", "0", "--rounds", "2"],
  );
  expect(stdout.trimEnd().split("\n")).toHaveLength(1);
  const { machine, runs } = JSON.parse(stdout);
  expect(machine.torch).toBeNull();
  const [single, half] = runs;
  expect(single).toMatchObject({
    ...{ preset: "micro", precision: "fp32", sizes: { batch: 2 }, leftOut: [] },
    contenders: [
      {
        name: "wasm",
        peer: false,
        runsOn: expect.stringMatching(/^wasm \(own kernels in .+\), fp32$/),
        peakRssBytes: expect.any(Number),
        loss: { first: expect.any(Number), last: expect.any(Number) },
        secondsPerStep: [expect.any(Number), expect.any(Number)],
      },
    ],
  });
  expect(half).toMatchObject({
    contenders: [],
    leftOut: [{ name: "wasm", reason: expect.stringContaining("got bf16") }],
  });
  expect(stderr).toContain("wasm: left out, precision: expected fp32 or auto for wasm, got bf16");
});

test.each([
  [["--presets", "huge"], "--presets: expected some of vit-s, vit-ti, small, micro, got huge"],
  [["--rounds", "0"], "--rounds: expected a whole number of at least 1, got 0"],
  [["--python", "/no/python"], "torch: expected to be importable by /no/python (--python), got "],
  [["--python", "/no/python"], "torch-venv/bin/pip install torch"],
])("refuses %j in a sentence", async (words, sentence) => {
  await expect(trainStep(...words)).rejects.toMatchObject({
    ...{ code: 1, stdout: "", stderr: expect.stringContaining(sentence) },
  });
});
