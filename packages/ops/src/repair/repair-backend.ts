import { repairCpu } from "./cpu.ts";
import { cumsumFromTheEnd } from "./cumsum.ts";
import { repairWasm } from "./wasm.ts";
import { repairWebgpu } from "./webgpu.ts";

const repairs: Readonly<Record<string, () => void>> = {
  cpu: repairCpu,
  // What it has of its own is right; the rest is tfjs-cpu's, as that was when it was registered.
  native: () => cumsumFromTheEnd("native"),
  wasm: repairWasm,
  webgpu: () => repairWebgpu("webgpu"),
  "webgpu-stock": () => repairWebgpu("webgpu-stock"),
};
const done = new Set<string>();

/**
 * Replaces the stock kernels of a backend that are missing, wrong or needlessly slow. Every
 * operation calls it; calling it once earlier lets plain tfjs code profit too.
 */
export function repairBackend(name: string): void {
  if (done.has(name)) return;
  done.add(name);
  repairs[name]?.();
}
