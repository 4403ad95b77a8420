import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const packageFolder = join(dirname(fileURLToPath(import.meta.url)), "../../backend-wasm");

/**
 * Whether the backend `wasm` has our kernels in tests: where they are built. With `CI=true` they
 * must be, and tests fail where they are not.
 */
const hasKernels =
  process.env.CI === "true" || existsSync(join(packageFolder, "src/generated/simd.ts"));

/** What is needed of `@dino/backend-wasm`, which depends on packages that are tested so. */
interface WasmPackage {
  installKernels(): Promise<() => void>;
}

/** Gives tfjs's backend `wasm`, once initialised, our kernels; the result takes them away again. */
export async function installWasmKernels(): Promise<() => void> {
  if (!hasKernels) return () => undefined;
  const entry = join(packageFolder, "src/index.ts");
  const { installKernels }: WasmPackage = await import(/* @vite-ignore */ entry);
  return installKernels();
}
