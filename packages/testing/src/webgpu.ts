import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The adapter that WebGPU tests run on, by a part of its name (`DINO_WEBGPU_ADAPTER=llvmpipe`);
 * none, and no WebGPU, unless the environment names one.
 */
export const webgpuAdapter: string | undefined = process.env.DINO_WEBGPU_ADAPTER;

const entry = join(dirname(fileURLToPath(import.meta.url)), "../../backend-webgpu/src/index.ts");

/** What is needed of `@dino/backend-webgpu`, which depends on packages that are tested so. */
interface WebgpuPackage {
  registerWebgpuBackend(): void;
}

let gpu: unknown; // Dawn goes when nothing refers to it

/** Gives Node a `navigator.gpu` and registers the backend `webgpu` on it. */
export async function loadWebgpu(): Promise<void> {
  if (gpu !== undefined) return;
  if (webgpuAdapter === undefined) {
    throw new Error("DINO_WEBGPU_ADAPTER: expected the name of an adapter, got none");
  }
  const { create, globals } = await import("webgpu");
  gpu = create([webgpuAdapter.includes("=") ? webgpuAdapter : `adapter=${webgpuAdapter}`]);
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, "navigator", { value: { gpu }, configurable: true });
  const { registerWebgpuBackend }: WebgpuPackage = await import(/* @vite-ignore */ entry);
  registerWebgpuBackend();
}
