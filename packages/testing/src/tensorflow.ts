import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Whether tests run on TensorFlow too: where `dino engine install tensorflow` has put it. */
export const hasTensorflow: boolean = process.env.DINO_TENSORFLOW === "1";

/** What is needed of `@dino/backend/tensorflow`, which depends on packages that are tested so. */
interface TensorflowEngine {
  tensorflowInstallation(): { readonly folder: string; readonly state: string };
  installedRoot(folder: string): string;
  loadPackage(name: string, root: string): Promise<void>;
  registerTensorflowKernels(options: { readonly smallest: number }): void;
}

const engine = "backend/src/engines/node/tensorflow/index.ts";

/**
 * Registers the backend `tensorflow` and its kernels. Those that are compiled for large tensors
 * alone are compiled for every size when `DINO_TENSORFLOW_COMPILE` is 1.
 */
export async function loadTensorflow(): Promise<void> {
  const packages = join(dirname(fileURLToPath(import.meta.url)), "../..");
  const loaded: TensorflowEngine = await import(/* @vite-ignore */ join(packages, engine));
  const { folder, state } = loaded.tensorflowInstallation();
  if (state !== "ready") throw new Error(`${folder}: expected an engine, got one that is ${state}`);
  await loaded.loadPackage("@tensorflow/tfjs-node", loaded.installedRoot(folder));
  const compilesAll = process.env.DINO_TENSORFLOW_COMPILE === "1";
  loaded.registerTensorflowKernels({ smallest: compilesAll ? 0 : 2 ** 16 });
}
