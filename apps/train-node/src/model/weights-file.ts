import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { RunError } from "../errors.ts";

/** Where a folder keeps its weights: a run, a model of transformers or timm, a run of the reference. */
const places: readonly string[] = [
  join("checkpoints", "last.safetensors"),
  "model.safetensors",
  "pytorch_model.bin",
  "checkpoint.pth",
];

/** The file that a path means: itself, or the weights of the run or model in it. */
export async function weightsFile(path: string): Promise<string> {
  if (!existsSync(path)) {
    throw new RunError(`${path}: expected a run or a file of weights, got nothing`);
  }
  if (!statSync(path).isDirectory()) return path;
  const found = places.map((place) => join(path, place)).find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new RunError(
    `${path}: expected a run or a model with ${places.join(", ")} in it, got a folder with none of them`,
  );
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
