// Models there and back: what PyTorch, timm and transformers save gives the same features here, and what is trained
// here gives the same there. Build first. `node tools/round-trips.mjs --help`
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { decodeNpy } from "../packages/checkpoint/dist/index.js";
import { root } from "./workspace.mjs";

const help = `node tools/round-trips.mjs --venv DIR | --python PATH [--out FILE.json] [--backend NAME] [--keep DIR]

--venv DIR      makes a virtual environment there and installs torch, torchvision, timm, transformers and
                safetensors from PyPI into it (some GB), or takes the one that is there
--python PATH   takes a Python that has them
--out FILE      writes the figures as JSON
--backend NAME  the engine that computes here (auto)
--keep DIR      leaves the models there
`;
const { values: flags } = parseArgs({
  options: {
    venv: { type: "string" },
    python: { type: "string" },
    out: { type: "string" },
    backend: { type: "string", default: "auto" },
    keep: { type: "string" },
    help: { type: "boolean" },
  },
});
const packages = ["torch", "torchvision", "timm", "transformers", "safetensors", "pillow", "numpy"];
/** Features differ by no more than this share of the largest. */
const tolerance = 1e-5;

if (flags.help || (!flags.venv && !flags.python)) {
  process.stderr.write(help);
  process.exit(flags.help ? 0 : 2);
}
const python = flags.python ?? environment(resolve(flags.venv));
const folder = flags.keep ? resolve(flags.keep) : mkdtempSync(join(tmpdir(), "dino-round-trips-"));
mkdirSync(folder, { recursive: true });
try {
  const figures = measure();
  for (const { program, direction, off } of figures.results) {
    console.log(`${direction.padEnd(4)} ${off.toExponential(1)}  ${program}`);
  }
  if (flags.out) writeFileSync(flags.out, `${JSON.stringify(figures, null, 2)}\n`);
  const bad = figures.results.filter(({ off, tolerance }) => !(off <= tolerance));
  if (bad.length > 0) {
    console.log(`${bad.length} differ by more than they may`);
    process.exitCode = 1;
  }
} finally {
  if (!flags.keep) rmSync(folder, { recursive: true });
}

function measure() {
  run(python, [tool("make.py"), folder]);
  const { versions, models } = JSON.parse(readFileSync(join(folder, "theirs.json"), "utf8"));
  const results = models.map(({ name, weights, program, tolerance }) => {
    const here = features(join(folder, "theirs", weights), join(folder, "here", name));
    const there = read(join(folder, "expected", `${name}.npy`));
    return { direction: "in", program, tolerance, off: difference(here, there) };
  });

  trained("ours", "--arch vit_tiny --global-crops-size 224 --local-crops-size 96 --lr 0.01");
  trained(
    "ours-resnet",
    "--arch resnet18 --global-crops-size 64 --local-crops-size 32 --optimizer sgd",
  );
  const opened = JSON.parse(run(python, [tool("open.py"), folder]));
  for (const { program, off } of opened) {
    results.push({ direction: "out", program, tolerance, off });
  }
  return { versions, results };
}

/** Trains a model for a few steps, converts it to every form, and writes its features. */
function trained(name, settings) {
  const [run, out] = [join(folder, `run-${name}`), join(folder, name)];
  const few = "--local-crops-number 2 --batch-size-per-gpu 4 --epochs 4steps --warmup-epochs 0";
  const head = "--out-dim 64 --hidden-dim 64 --bottleneck-dim 32";
  const words = `${settings} ${few} ${head}`.split(" ");
  dino("train", join(folder, "pictures"), ...words, "--output-dir", run);
  mkdirSync(out);
  dino("convert", run, "--out", join(out, "backbone.pth"));
  dino("convert", run, "--out", join(out, "backbone.safetensors"));
  dino("convert", run, "--out", join(out, "checkpoint.pth"), "--full");
  dino("convert", run, "--out", join(out, "hf"), "--format", "hf");
  dino("convert", run, "--out", join(out, "timm"), "--format", "timm");
  features(run, out);
}

function features(weights, out) {
  const pictures = join(folder, "pictures");
  const size = ["--image-size", "224"];
  dino("features", pictures, "--weights", weights, "--out", out, "--format", "npy", ...size);
  return read(join(out, "features.npy"));
}

function read(file) {
  return decodeNpy(readFileSync(file)).data;
}

/** The largest difference, as a share of the largest value. */
function difference(here, there) {
  if (here.length !== there.length) return Number.NaN;
  const largest = there.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return here.reduce((most, value, i) => Math.max(most, Math.abs(value - there[i])), 0) / largest;
}

function dino(...words) {
  const program = resolve(root, "apps/train-node/bin/dino.js");
  return run(process.execPath, [program, ...words], { DINO_BACKEND: flags.backend });
}

function tool(name) {
  return resolve(root, "tools/round-trips", name);
}

/** What a program prints; what it says goes to standard error, and a failure ends this one. */
function run(command, args, env = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: "utf8",
    maxBuffer: 1 << 26,
    // Nothing is fetched while models are compared.
    env: { ...process.env, HF_HUB_OFFLINE: "1", TRANSFORMERS_VERBOSITY: "error", ...env },
  });
  if (error) throw error;
  if (status === 0) return stdout;
  process.stderr.write(stderr);
  throw new Error(`${command} ${args.join(" ")}: expected exit code 0, got ${status}`);
}

/** The Python of a virtual environment with the packages in it. */
function environment(path) {
  const made = join(path, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
  if (!existsSync(made)) run("python3", ["-m", "venv", path]);
  console.error(`${path}: installing ${packages.join(", ")}`);
  run(made, ["-m", "pip", "install", "--quiet", ...packages]);
  return made;
}
