import type { Checkpoint } from "./checkpoint.ts";
import { CheckpointError } from "./checkpoint-error.ts";

/** Prefixes behind the network's: a data-parallel wrapper's, then the part of the network. */
const wrappers = ["", "module."];
const parts = ["", "backbone.", "head."];

/**
 * The prefix under which a checkpoint holds most of these names. A training checkpoint has two
 * networks, of which `from` takes one; a file with neither `student.` nor `teacher.` in it holds
 * one alone.
 */
export function findPrefix(
  { name, tensors }: Checkpoint,
  names: readonly string[],
  from: "student" | "teacher",
): string {
  const has = (root: string) => [...tensors.keys()].some((tensor) => tensor.startsWith(root));
  const other = from === "teacher" ? "student" : "teacher";
  const whole = !has(`${from}.`) && !has(`${other}.`);
  if (!whole && !has(`${from}.`)) {
    throw new CheckpointError(
      `${name}: expected names under ${from}., got ${other}. alone: load with from: "${other}"`,
    );
  }

  const root = whole ? "" : `${from}.`;
  let best = { prefix: root, found: 0 };
  for (const part of parts) {
    for (const wrapper of wrappers) {
      const prefix = root + wrapper + part;
      const found = names.filter((inner) => tensors.has(prefix + inner)).length;
      if (found > best.found) best = { prefix, found };
    }
  }
  return best.prefix;
}
