import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { hubModels } from "@dino/checkpoint/node";
import { RunError } from "../errors.ts";
import { hubWeights, type Surroundings } from "./hub-weights.ts";

/** Where a folder keeps its weights: a run, a model of transformers or timm, a run of the reference. */
const places: readonly string[] = [
  join("checkpoints", "last.safetensors"),
  "model.safetensors",
  "pytorch_model.bin",
  "checkpoint.pth",
];

/**
 * The file that a path means: itself, or the weights of the run or model in it. What is no path
 * may be a published name or an address, whose file is fetched.
 */
export async function weightsFile(path: string, surroundings?: Surroundings): Promise<string> {
  if (!existsSync(path)) {
    const fetched = await hubWeights(path, surroundings);
    if (fetched !== undefined) return fetched;
    const hint = path.startsWith("dino_") ? `: published are ${published()}` : "";
    throw new RunError(`${path}: expected a run or a file of weights, got nothing${hint}`);
  }
  if (!statSync(path).isDirectory()) return path;
  const found = places.map((place) => join(path, place)).find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new RunError(
    `${path}: expected a run or a model with ${places.join(", ")} in it, got a folder with none of them`,
  );
}

function published(): string {
  const names = Object.entries(hubModels).filter(([, { announced }]) => !announced);
  return names.map(([name]) => name).join(", ");
}

/** The attention heads that a `config.json` of transformers or timm beside the weights tells. */
export function headsBeside(file: string): number | undefined {
  const config = join(dirname(file), "config.json");
  if (!["model.safetensors", "pytorch_model.bin"].includes(basename(file))) return undefined;
  if (!existsSync(config)) return undefined;
  try {
    const { num_attention_heads: heads, model_args: args } = JSON.parse(
      readFileSync(config, "utf8"),
    ) as { num_attention_heads?: unknown; model_args?: { num_heads?: unknown } };
    const value = heads ?? args?.num_heads;
    return typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;
  } catch (cause) {
    throw new RunError(`${config}: expected JSON, got ${(cause as Error).message}`, { cause });
  }
}
