import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs-core";

const packageFolder = join(dirname(fileURLToPath(import.meta.url)), "../../backend-wasm");

/**
 * Whether the backend `wasm` has our kernels in tests: where they are built. With `CI=true` they
 * must be, and tests fail where they are not.
 */
const hasKernels =
  process.env.CI === "true" || existsSync(join(packageFolder, "src/generated/simd.ts"));

/** What is needed of `@dino/backend-wasm`, which depends on packages that are tested so. */
interface WasmPackage {
  installKernels(options: {
    readonly threads: number;
    readonly partTime: number;
  }): Promise<{ readonly threads: number; restore(): void }>;
  withSharedMemory<Result>(run: () => Promise<Result>): Promise<Result>;
}

/** As many threads as show whether they share work well, whatever the machine has. */
const threads = 2;

/**
 * Makes `wasm` the active backend with our kernels, on two threads that share whatever they can; the result takes them away
 * again.
 */
export async function startWasm(): Promise<() => void> {
  if (!hasKernels) {
    await tf.setBackend("wasm");
    return () => undefined;
  }
  const entry = join(packageFolder, "src/index.ts");
  const { installKernels, withSharedMemory }: WasmPackage = await import(/* @vite-ignore */ entry);
  await withSharedMemory(() => tf.setBackend("wasm"));
  const installed = await installKernels({ threads, partTime: 0 });
  if (installed.threads !== threads) throw new Error(`wasm: expected ${threads} threads, got 1`);
  return installed.restore;
}
