// `npm start`: installs, builds, trains a small Vision Transformer on real pictures for some
// minutes, and shows what came of it.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { build, install, root } from "./workspace.mjs";

const started = Date.now();
console.log("Installing and building, the native engine too where there is cargo …");
install();
build();

const { quickStartPictures } = await import("./quick-start-pictures.mjs");
const run = resolve(root, "runs/quick-start");
rmSync(run, { recursive: true, force: true });
const pictures = resolve(root, "node_modules/.cache/dino-quick-start");
const counts = quickStartPictures(pictures);
console.log(`\n${counts.train} emoji to train on, without labels; ${counts.test} to test with.\n`);

const settings = {
  ...JSON.parse(readFileSync(resolve(root, "tools/quick-start.json"), "utf8")),
  ...lengthOn(dino(["doctor"]).engines.find(({ active }) => active)?.name),
};
const trained = dino([
  "train",
  resolve(pictures, "train"),
  ...["--knn-train", resolve(pictures, "train"), "--knn-test", resolve(pictures, "test")],
  ...["--output-dir", run],
  ...Object.entries(settings).flatMap(([flag, value]) => [`--${flag}`, String(value)]),
]);

console.log("\nWhat the trained model looks at:");
const examples = ["1f98a", "1f34e", "1f697", "1f3b8", "1f600", "1f419"]
  .flatMap((name) => ["train", "test"].map((part) => find(resolve(pictures, part), `${name}.webp`)))
  .filter(Boolean);
const attended = dino([
  "attention",
  ...examples,
  ...["--weights", run, "--out", resolve(run, "attention")],
  ...["--image-size", "128"],
]);

const curves = resolve(run, "curves.png");
const summary = {
  knn: { before: trained.knn.before["20"], after: trained.knn.after["20"] },
  pictures: [...attended.pictures, curves],
  seconds: Math.round((Date.now() - started) / 1000),
  backend: trained.backend,
  imagesPerSecond: trained.imagesPerSecond,
  run,
};
writeFileSync(resolve(run, "summary.json"), `${JSON.stringify(summary, null, 2)}\n`);

const percent = (value) => `${value.toFixed(1)} %`;
console.log(`
k-NN (k 20) on ${counts.test} emoji in 9 groups: ${percent(summary.knn.before)} before training, ${percent(summary.knn.after)} after ${trained.steps} steps.
${trained.steps > 500 ? "A folder of more pictures and a longer run go further." : "A run this short shows that everything works, not what DINO can do: that takes a longer one, or a faster engine (cargo, and npm start again, builds one)."}

Look at    ${resolve(run, "attention")}   (what each head attends to)
           ${curves}   (the course of the training)
Summary    ${resolve(run, "summary.json")}

Go on      npx dino train PICTURES              your own folder of pictures
           npx dino attention PICTURE --weights ${run} --out attention
           npx dino doctor                      which engines this machine has
`);

/** As many steps as an engine takes in some minutes on two cores; docs/decisions/0003 has what comes of them. */
function lengthOn(engine) {
  if (engine === "cpu") {
    return {
      epochs: "500steps",
      "warmup-epochs": "25steps",
      "freeze-last-layer": "46steps",
      "save-every-steps": 100,
    };
  }
  if (engine === "wasm") {
    return {
      epochs: "1000steps",
      "warmup-epochs": "50steps",
      "freeze-last-layer": "60steps",
      "save-every-steps": 200,
    };
  }
  return {
    epochs: "5000steps",
    "warmup-epochs": "250steps",
    "freeze-last-layer": "100steps",
    "save-every-steps": 1000,
  };
}

/** Runs the command line, whose progress goes to the terminal, and gives what it reports. */
function dino(args) {
  const bin = resolve(root, "apps/train-node/bin/dino.js");
  const { status, stdout, error } = spawnSync(process.execPath, [bin, ...args, "--json"], {
    cwd: root,
    stdio: ["inherit", "pipe", "inherit"],
    encoding: "utf8",
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
  return JSON.parse(stdout);
}

function find(folder, name) {
  const groups = [
    "animals_nature",
    "food_drink",
    "travel_places",
    "activities",
    "objects",
    "smileys_emotion",
  ];
  return groups.map((group) => resolve(folder, group, name)).find(existsSync);
}
