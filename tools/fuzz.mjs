// `node tools/fuzz.mjs --runs 100000 --seed 1`: gives the readers of files changed ones, and counts
// what they take and refuse. Needs a build. `--run N` writes the file of one run and reads it alone.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { fileOfRun, fuzz, kindOfRun } from "./fuzz/fuzz.mjs";
import { fuzzedKinds } from "./fuzz/kinds.mjs";

/** A run that is still the same after so many looks hangs. Looks, since a machine may stand still. */
const longestRun = 20;
const betweenLooks = 1000; // milliseconds

/** More than the readers, sharp and Node itself may take at any moment. */
const mostMemory = 1.5e9; // bytes

if (isMainThread) await main();
else {
  const progress = new Int32Array(workerData.progress);
  const onRun = (run) => Atomics.store(progress, 0, run);
  parentPort.postMessage(await fuzz({ ...workerData, onRun }));
}

async function main() {
  const { values } = parseArgs({
    options: {
      runs: { type: "string", default: "10000" },
      seed: { type: "string", default: "1" },
      from: { type: "string", default: "0" },
      run: { type: "string" },
    },
  });
  const seed = Number(values.seed);
  if (values.run !== undefined) writeFile(seed, Number(values.run));
  const from = Number(values.run ?? values.from);
  const runs = values.run === undefined ? Number(values.runs) : 1;

  const started = performance.now();
  const { counts, fault } = await watched({ seed, from, runs });
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  for (const [kind, { read, refused }] of Object.entries(counts ?? {})) {
    console.log(
      `${kind.padEnd(12)} ${String(read).padStart(7)} read ${String(refused).padStart(7)} refused`,
    );
  }
  const peak = process.resourceUsage().maxRSS * 1024;
  console.log(`seed ${seed}: ${runs} runs in ${seconds} s, at most ${Math.round(peak / 1e6)} MB`);
  if (fault) {
    console.error(`run ${fault.run} (${fault.kind}): ${fault.reason}`);
    console.error(`again: node tools/fuzz.mjs --seed ${seed} --run ${fault.run}`);
    process.exitCode = 1;
  } else if (peak > mostMemory) {
    console.error(`expected at most ${mostMemory / 1e6} MB`);
    process.exitCode = 1;
  }
}

/** Runs them in a thread, so that one that hangs or fills the memory can be named. */
function watched(options) {
  const progress = new SharedArrayBuffer(4);
  const current = () => Atomics.load(new Int32Array(progress), 0);
  const worker = new Worker(new URL(import.meta.url), {
    workerData: { ...options, progress },
    resourceLimits: { maxOldGenerationSizeMb: 512 },
  });
  return new Promise((resolve) => {
    const finish = (result) => {
      clearInterval(timer);
      resolve(result);
      void worker.terminate();
    };
    const fault = (reason) =>
      finish({ fault: { run: current(), kind: kindOfRun(current()), reason } });
    let last = { run: -1, looks: 0 };
    const timer = setInterval(() => {
      const run = current();
      last = { run, looks: run === last.run ? last.looks + 1 : 0 };
      if (last.looks >= longestRun) fault("takes too long");
    }, betweenLooks);
    worker.on("message", finish);
    worker.on("error", (error) => fault(error.stack));
  });
}

/** Writes the file of one run beside whoever asked. */
function writeFile(seed, run) {
  const { kinds, dispose } = fuzzedKinds();
  const name = `fuzz-${kindOfRun(run)}-${seed}-${run}`;
  writeFileSync(name, fileOfRun(kinds, seed, run));
  dispose();
  console.log(name);
}
