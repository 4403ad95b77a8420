// Makes `assets/model.safetensors`, the model that the page opens with, of a run of `npm start`:
// node apps/web/tools/ship-model.mjs runs/quick-start
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { backboneWeights, encodeSafetensors } from "@dino/checkpoint";
import { openCheckpoint } from "@dino/checkpoint/node";

const [run = "runs/quick-start"] = process.argv.slice(2);
const checkpoint = await openCheckpoint(resolve(run, "checkpoints/last.safetensors"));
const weights = backboneWeights(checkpoint, { from: "teacher" });
const { architecture } = JSON.parse(checkpoint.metadata.settings);

const entries = {};
for (const name of weights.tensors.keys()) {
  const { shape, data } = await weights.read(name);
  entries[name] = { dtype: "F16", shape, data };
}
const metadata = { architecture: JSON.stringify(architecture) };
const file = resolve(import.meta.dirname, "../assets/model.safetensors");
writeFileSync(file, Buffer.concat([...encodeSafetensors(entries, metadata)]));
console.log(`${file}: ${JSON.stringify(architecture)}`);
