import { createRequire } from "node:module";
import { totalmem } from "node:os";
import { dirname, join, sep } from "node:path";
import util from "node:util";
import * as tf from "@tensorflow/tfjs-core";

/**
 * Loads a tfjs-node, which registers the backend `tensorflow`, and leaves the active backend in
 * place. `root` is a folder or file from which `name` can be found.
 */
export async function loadPackage(name: string, root: string): Promise<void> {
  if (tf.findBackendFactory("tensorflow") !== null) return;
  // What Node 23 has removed, and 22 warns of.
  Object.assign(util, { isArray: Array.isArray, isNullOrUndefined: (x: unknown) => x == null });
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "3";
  keepMemory();
  const active = tf.getBackend();
  const require = createRequire(root);
  shareModules(createRequire(require.resolve(name)));
  try {
    require(name);
  } finally {
    // Loading it has made it the active one.
    if (active !== undefined && tf.getBackend() !== active) await tf.setBackend(active);
  }
}

/**
 * Has TensorFlow keep the memory that tensors leave. Otherwise large ones come from the system and
 * go back to it, and to touch fresh pages takes a fifth of a training step.
 */
function keepMemory(): void {
  process.env.TF_CPU_ALLOCATOR_USE_BFC ??= "true";
  // Of its own it would stop at 64 GB.
  process.env.TF_CPU_BFC_MEM_LIMIT_IN_MB ??= String(Math.max(2 ** 16, totalmem() / 2 ** 20) | 0);
}

/** What every tfjs-node brings along besides itself. */
const always = ["@tensorflow/tfjs-core", "@tensorflow/tfjs-backend-cpu"] as const;

/**
 * Has the packages beside a tfjs-node be those that are loaded already. A second copy of tfjs
 * would register all of its kernels once more, with a warning for each, over those that have been
 * repaired.
 */
function shareModules(theirs: NodeJS.Require): void {
  const ours = createRequire(import.meta.url);
  for (const name of always) {
    try {
      ours(name);
    } catch {
      // In a bundle there is none to share.
    }
  }
  for (const [path, loaded] of Object.entries(ours.cache)) {
    const [, name, file] =
      /(@tensorflow\/tfjs(?!-node)[^/]*)\/((?!.*node_modules).+)$/.exec(
        path.replaceAll(sep, "/"),
      ) ?? [];
    const folder = name && packageFolder(theirs, name);
    if (folder) theirs.cache[join(folder, file as string)] ??= loaded;
  }
}

function packageFolder(require: NodeJS.Require, name: string): string | undefined {
  try {
    return dirname(require.resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

/** The root from which the tfjs-node of an installation is found. */
export function installedRoot(folder: string): string {
  return join(folder, "npm", "package.json");
}
