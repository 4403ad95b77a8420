import type { Checkpoint } from "../checkpoint.ts";
import { CheckpointError } from "../checkpoint-error.ts";
import { nameMaps } from "./name-maps.ts";
import { type NamedWeights, namedWeights } from "./named-weights.ts";

export interface FindOptions {
  /** Which of the two networks of a training checkpoint. */
  readonly from: "student" | "teacher";
  /** What stands in front of the names, when that is known. */
  readonly prefix?: string | undefined;
}

/**
 * Where in a checkpoint the names that `wanted` accepts are, in whose words and behind what: the
 * place with the most of them, then the one with the fewest others. Nothing if there are none.
 *
 * A training checkpoint has two networks, of which `from` takes one; a file with neither
 * `student.` nor `teacher.` in it holds one alone.
 */
export function findWeights(
  checkpoint: Checkpoint,
  wanted: (name: string) => boolean,
  { from, prefix }: FindOptions,
): NamedWeights | undefined {
  const root = prefix === undefined ? networkRoot(checkpoint, from) : "";
  let best: NamedWeights | undefined;
  let most = 0;
  let fewest = 0;
  for (const map of Object.values(nameMaps)) {
    for (const place of prefix === undefined ? map.prefixes : [prefix]) {
      const found = namedWeights(checkpoint, map, root + place);
      if (!found) continue;
      const names = [...found.tensors.keys()];
      const count = names.filter(wanted).length;
      const others = names.length - count + found.unknown.length;
      if (count > most || (count === most && count > 0 && others < fewest)) {
        [best, most, fewest] = [found, count, others];
      }
    }
  }
  return best;
}

/** What stands in front of everything of a network: `teacher.`, or nothing in a file of one alone. */
export function networkRoot(
  { name, tensors }: Pick<Checkpoint, "name" | "tensors">,
  from: "student" | "teacher",
): string {
  const has = (root: string) => [...tensors.keys()].some((tensor) => tensor.startsWith(root));
  const other = from === "teacher" ? "student" : "teacher";
  if (has(`${from}.`)) return `${from}.`;
  if (!has(`${other}.`)) return "";
  throw new CheckpointError(
    `${name}: expected names under ${from}., got ${other}. alone: load with from: "${other}"`,
  );
}
