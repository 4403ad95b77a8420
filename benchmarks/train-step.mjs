// One training step of DINO: our engines against PyTorch, turn by turn in one run. See --help.
import { writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { contender } from "./train-step/contender.mjs";
import { stepGflop } from "./train-step/flops.mjs";
import { higher, measurePeak } from "./train-step/peak.mjs";
import { findPeer, peerContenders } from "./train-step/peers.mjs";
import { presets } from "./train-step/presets.mjs";
import { figuresOf, table } from "./train-step/report.mjs";
import { takeTurns } from "./train-step/turns.mjs";

const help = `node benchmarks/train-step.mjs

One training step of DINO on fixed random pictures (teacher, student, loss, backward, clipping of each
parameter, AdamW, averages): our engines and PyTorch, each in a process of its own, one step each in
turn. PyTorch runs with its allocator tuned, with and without SDPA; the fastest counts.

  --presets <names>     ${Object.keys(presets).join(", ")} (vit-s,vit-ti,small)
  --backends <names>    our engines (native,tensorflow); wasm takes minutes for a step of vit-s
  --precisions <names>  fp32, bf16 (fp32,bf16)
  --rounds <n>          steps that count, of each (5)
  --warmup <n>          steps before them (2)
  --batch <n>           pictures of a step (the preset's)
  --python <path>       a Python that can import torch (python3)
  --torch-threads <n>   PyTorch's threads (its own choice)
  --compile             with torch.compile too; needs a C++ compiler, and minutes for the first step
  --no-peer             without PyTorch, and so without ratios
  --out <file>          write the figures there as JSON
  --json                print them on standard output, and everything else on standard error
  --help                show this help`;

const flags = {
  presets: { type: "string", default: "vit-s,vit-ti,small" },
  backends: { type: "string", default: "native,tensorflow" },
  precisions: { type: "string", default: "fp32,bf16" },
  rounds: { type: "string", default: "5" },
  warmup: { type: "string", default: "2" },
  batch: { type: "string" },
  python: { type: "string", default: "python3" },
  "torch-threads": { type: "string", default: "0" },
  compile: { type: "boolean", default: false },
  "no-peer": { type: "boolean", default: false },
  out: { type: "string" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
};

process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));
try {
  await main();
} catch (error) {
  console.error(`train-step: ${error.message}`);
  process.exitCode = 1;
}

async function main() {
  const { values } = parseArgs({ options: flags });
  if (values.help) return console.log(help);
  const options = {
    presets: listOf("presets", values.presets, Object.keys(presets)),
    backends: listOf("backends", values.backends),
    precisions: listOf("precisions", values.precisions, ["fp32", "bf16"]),
    rounds: wholeOf("rounds", values.rounds, 1),
    warmup: wholeOf("warmup", values.warmup, 0),
    batch: values.batch === undefined ? undefined : wholeOf("batch", values.batch, 1),
    compile: values.compile,
  };
  const threads = wholeOf("torch-threads", values["torch-threads"], 0);
  const say = values.json ? console.error : console.log;
  const peer = values["no-peer"] ? undefined : findPeer({ python: values.python, threads });
  const report = { machine: machineOf(peer), clip: "each parameter", runs: [] };
  for (const preset of options.presets) {
    for (const precision of options.precisions) {
      const run = await measure({ preset, precision, peer, say, ...options });
      report.runs.push(run);
      for (const line of words(run)) say(line);
      if (values.out) writeFileSync(values.out, `${JSON.stringify(report, null, 2)}\n`);
    }
  }
  if (values.json) console.log(JSON.stringify(report));
}

/** All contenders of one step, each started when the one before is ready. */
async function measure({ preset, precision, peer, backends, compile, say, ...options }) {
  const { rounds, warmup } = options;
  const sizes = { ...presets[preset], ...(options.batch && { batch: options.batch }) };
  const started = [];
  const leftOut = [];
  const gflopPerImage = stepGflop(sizes);
  const settings = { preset, precision, sizes, rounds, warmup, gflopPerImage };
  const enter = async (entrants) => {
    for (const entrant of entrants) {
      const made = contender(entrant);
      try {
        const { runsOn, readyRssBytes } = await made.ready();
        started.push({ ...made, peer: entrant.peer, runsOn, readyRssBytes });
      } catch (error) {
        made.stop();
        leftOut.push({ name: entrant.name, reason: error.message });
      }
    }
  };
  try {
    await enter(backends.map((engine) => ours(engine, { sizes, precision })));
    // The peer alone would be no comparison, and is very slow where the processor lacks bf16.
    if (started.length === 0) return { ...settings, peak: null, contenders: [], leftOut };
    const before = measurePeak(precision, peer);
    if (peer) await enter(peerContenders(peer, { sizes, precision, compile }));
    say(`${preset} ${precision}: ${started.map(({ name }) => name).join(", ")} take turns`);
    const results = await takeTurns(started, {
      warmup,
      rounds,
      onTurn: ({ name, round, seconds }) =>
        console.error(`  ${round + 1} of ${warmup + rounds}  ${name}  ${seconds.toPrecision(3)} s`),
    });
    const peak = higher(before, measurePeak(precision, peer));
    const { batch } = sizes;
    return {
      ...settings,
      peak: peak ?? null,
      contenders: figuresOf({ batch, gflopPerImage, peak, contenders: started, results }),
      leftOut,
    };
  } finally {
    for (const { stop } of started) stop();
  }
}

function ours(engine, options) {
  const script = fileURLToPath(new URL("./train-step/ours.mjs", import.meta.url));
  return {
    name: engine,
    peer: false,
    command: process.execPath,
    args: [script, JSON.stringify({ engine, ...options })],
  };
}

function words({ preset, precision, sizes, gflopPerImage, peak, contenders, leftOut }) {
  const unit = peak?.kind === "fma" ? "FMA peak" : "matmul peak";
  return [
    "",
    `${preset} ${precision}: ${gflopPerImage.toPrecision(4)} GFLOP an image, batch ${sizes.batch}, ` +
      `ln K ${Math.log(sizes.prototypes).toFixed(4)}` +
      (peak === null ? "" : `; ${unit} ${peak.gflops.toPrecision(3)} GFLOP/s`),
    ...(contenders.length > 0 ? table(contenders) : []),
    ...leftOut.map(({ name, reason }) => `${name}: left out, ${reason}`),
    "",
  ];
}

function machineOf(peer) {
  return {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryBytes: totalmem(),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    torch: peer === undefined ? null : { version: peer.version, environment: peer.environment },
  };
}

function listOf(flag, text, known) {
  const names = text.split(",").filter(Boolean);
  const stranger = known && names.find((name) => !known.includes(name));
  if (names.length > 0 && stranger === undefined) return names;
  const expected = known === undefined ? "names" : `some of ${known.join(", ")}`;
  throw new Error(`--${flag}: expected ${expected}, got ${stranger ?? JSON.stringify(text)}`);
}

function wholeOf(flag, text, min) {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min) return value;
  throw new Error(`--${flag}: expected a whole number of at least ${min}, got ${text}`);
}
