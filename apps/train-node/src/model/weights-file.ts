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

/** What a `config.json` of transformers or timm tells beyond the shapes of the tensors. */
export interface ModelConfig {
  readonly path: string;
  readonly heads: number | undefined;
  readonly layerNormEps: number | undefined;
}

/** The `config.json` beside the weights of a model, where there is one. */
export function configBeside(file: string): ModelConfig | undefined {
  const path = join(dirname(file), "config.json");
  if (!["model.safetensors", "pytorch_model.bin"].includes(basename(file))) return undefined;
  if (!existsSync(path)) return undefined;
  let config: { num_attention_heads?: unknown; layer_norm_eps?: unknown; model_args?: unknown };
  try {
    config = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new RunError(`${path}: expected JSON, got ${(cause as Error).message}`, { cause });
  }
  const { num_heads } = (config.model_args ?? {}) as { num_heads?: unknown };
  return {
    path,
    heads: asNumber(config.num_attention_heads ?? num_heads),
    layerNormEps: asNumber(config.layer_norm_eps),
  };
}

function asNumber(value: unknown): number | undefined {
  return typeof value === "number" && value > 0 ? value : undefined;
}
