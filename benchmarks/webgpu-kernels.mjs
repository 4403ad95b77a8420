// Which WebGPU kernels a training step spends its time in, by time stamps on the device:
//   node benchmarks/webgpu-kernels.mjs [--adapter NAME] [--steps 3] [--json]
// The crops are small unless --arch, --global, --batch and so on say otherwise: a software adapter takes long.
import { parseArgs } from "node:util";
import { create, globals } from "webgpu";

const { values: flags } = parseArgs({
  options: {
    adapter: { type: "string" },
    arch: { type: "string", default: "tiny" },
    patch: { type: "string", default: "8" },
    global: { type: "string", default: "64" },
    local: { type: "string", default: "32" },
    batch: { type: "string", default: "1" },
    prototypes: { type: "string", default: "1024" },
    steps: { type: "string", default: "3" },
    json: { type: "boolean", default: false },
  },
});
const size = (name) => {
  const value = Number(flags[name]);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${name}: expected a whole number above 0, got ${flags[name]}`);
};

Object.assign(globalThis, globals);
// Without it Dawn rounds time stamps to a tenth of a millisecond.
const gpu = create([
  ...(flags.adapter ? [`adapter=${flags.adapter}`] : []),
  "disable-dawn-features=timestamp_quantization",
]);
Object.defineProperty(globalThis, "navigator", { value: { gpu }, configurable: true });
await import("@dino/ops/gradients");
const { registerWebgpuBackend } = await import("@dino/backend-webgpu");
const tf = await import("@tensorflow/tfjs-core");
registerWebgpuBackend();
if (!(await tf.setBackend("webgpu"))) throw new Error("WebGPU: expected an adapter, got none");
const { measureKernels } = await import("./webgpu-kernels/measure.mjs");
const { smallTrainer } = await import("./webgpu-kernels/trainer.mjs");

const { trainer, crops } = smallTrainer({
  arch: flags.arch,
  patch: size("patch"),
  global: size("global"),
  local: size("local"),
  batch: size("batch"),
  prototypes: size("prototypes"),
});
const train = async () => {
  trainer.train(crops());
  await trainer.metrics();
};
await train(); // compiles
await train(); // and again: small parameters are updated together from the second step on
const kernels = await measureKernels(train, size("steps"));
const total = kernels.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
if (flags.json) console.log(JSON.stringify({ milliseconds: total, kernels }));
else {
  const rows = kernels.map(({ name, calls, milliseconds, gflops, gigabytesPerSecond }) => [
    name,
    String(calls),
    milliseconds.toFixed(2),
    `${((100 * milliseconds) / total).toFixed(1)} %`,
    gflops === undefined ? "" : gflops.toFixed(2),
    gigabytesPerSecond.toFixed(2),
  ]);
  const head = ["kernel", "calls", "ms", "of all", "GFLOP/s", "GB/s"];
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i].length)));
  for (const row of [head, ...rows])
    console.log(
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[i])))
        .join("  "),
    );
  console.log(`${total.toFixed(1)} ms in all`);
}
process.exit(); // Dawn's threads would go on
