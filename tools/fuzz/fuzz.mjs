import { draws } from "./draws.mjs";
import { fuzzedKinds } from "./kinds.mjs";
import { mutate } from "./mutate.mjs";

/** How often each kind has its turn. */
const turns = [
  ...["zip", "legacy", "zip", "legacy", "pickle", "safetensors", "zip", "legacy", "pickle"],
  ...["npy", "zip", "legacy", "safetensors", "masks", "pickle", "pictures"],
];

/** Which kind a run is of. */
export function kindOfRun(run) {
  return turns[run % turns.length];
}

/** The changed file of a run. */
export function fileOfRun(kinds, seed, run) {
  return mutate(kinds[kindOfRun(run)], draws(seed, run));
}

/**
 * Gives readers changed files, and counts by kind what they took and what they refused. Ends with
 * the first fault: an error that is none of ours, a wrong size, a change of what all objects inherit.
 */
export async function fuzz({ seed, runs, from = 0, onRun }) {
  const { kinds, dispose } = fuzzedKinds();
  const counts = Object.fromEntries(
    Object.keys(kinds).map((kind) => [kind, { read: 0, refused: 0 }]),
  );
  const prototype = Object.getOwnPropertyNames(Object.prototype).join();
  try {
    for (let run = from; run < from + runs; run++) {
      onRun?.(run);
      const kind = kindOfRun(run);
      const bytes = fileOfRun(kinds, seed, run);
      const fault = await faultOf(kinds[kind], bytes, counts[kind]);
      if (Object.getOwnPropertyNames(Object.prototype).join() !== prototype) {
        return { counts, fault: { run, kind, reason: "Object.prototype was changed" } };
      }
      if (fault) return { counts, fault: { run, kind, reason: fault } };
    }
    return { counts };
  } finally {
    dispose();
  }
}

async function faultOf({ read, isOurs }, bytes, count) {
  try {
    await read(bytes);
    count.read += 1;
  } catch (error) {
    if (!isOurs(error)) return error?.stack ?? String(error);
    if (error.message.length > 1000) return `a message of ${error.message.length} characters`;
    count.refused += 1;
  }
  return undefined;
}
