/**
 * The adapter that WebGPU tests run on, by a part of its name (`DINO_WEBGPU_ADAPTER=llvmpipe`);
 * none, and no WebGPU, unless the environment names one.
 */
export const webgpuAdapter: string | undefined = process.env.DINO_WEBGPU_ADAPTER;

let gpu: unknown; // Dawn goes when nothing refers to it

/** Gives Node a `navigator.gpu` and registers tfjs's webgpu backend on it. */
export async function loadWebgpu(): Promise<void> {
  if (gpu !== undefined) return;
  const { create, globals } = await import("webgpu");
  gpu = create([`adapter=${webgpuAdapter}`]);
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, "navigator", { value: { gpu }, configurable: true });
  await import("@tensorflow/tfjs-backend-webgpu"); // registers itself where there is a GPU
}
