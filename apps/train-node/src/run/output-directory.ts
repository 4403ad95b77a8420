import { existsSync } from "node:fs";
import { join } from "node:path";
import { RunError } from "../errors.ts";
import type { Settings } from "../settings/settings.ts";

/** The folder of a new run: the one that was asked for, or `runs/<date>-<arch>-<seed>` with a number if that exists. */
export function outputDirectory(
  { outputDir, arch, seed }: Settings,
  now: Date = new Date(),
): string {
  if (outputDir !== undefined) return assertUnused(outputDir);
  const date = [now.getFullYear(), now.getMonth() + 1, now.getDate()];
  const day = date.map((part) => String(part).padStart(2, "0")).join("-");
  const name = join("runs", `${day}-${arch.replaceAll("_", "-")}-${seed}`);
  for (let i = 1; ; i++) {
    const path = i === 1 ? name : `${name}-${i}`;
    if (!existsSync(path)) return path;
  }
}

function assertUnused(path: string): string {
  if (!existsSync(join(path, "checkpoints", "last.safetensors"))) return path;
  throw new RunError(
    `${path}: expected no run yet, got one with a checkpoint: go on with it by --resume ${path}`,
  );
}
