import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Whether tests run on TensorFlow too: where `dino engine install tensorflow` has put it. */
export const hasTensorflow: boolean = process.env.DINO_TENSORFLOW === "1";

/** What is needed of `@dino/backend/tensorflow`, which depends on packages that are tested so. */
interface TensorflowEngine {
  tensorflowInstallation(): { readonly folder: string; readonly state: string };
  installedRoot(folder: string): string;
  loadPackage(name: string, root: string): Promise<void>;
  registerTensorflowKernels(options: { readonly smallest?: number }): void;
}

const engine = "backend/src/engines/node/tensorflow/index.ts";

/** From this many elements on kernels are compiled: by default for large tensors alone. */
const compiledFrom = process.env.DINO_TENSORFLOW_COMPILE === "1" ? { smallest: 16 } : {};

/**
 * Registers the backend `tensorflow` and its kernels. With `DINO_TENSORFLOW_COMPILE` 1 those that
 * can be compiled are compiled for tests' small tensors too.
 */
export async function loadTensorflow(): Promise<void> {
  const packages = join(dirname(fileURLToPath(import.meta.url)), "../..");
  const loaded: TensorflowEngine = await import(/* @vite-ignore */ join(packages, engine));
  const { folder, state } = loaded.tensorflowInstallation();
  if (state !== "ready") throw new Error(`${folder}: expected an engine, got one that is ${state}`);
  await loaded.loadPackage("@tensorflow/tfjs-node", loaded.installedRoot(folder));
  loaded.registerTensorflowKernels(compiledFrom);
}
