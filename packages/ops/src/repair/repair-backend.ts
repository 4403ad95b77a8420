import { repairWasm } from "./wasm.ts";

const repairs: Readonly<Record<string, () => void>> = { wasm: repairWasm };
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
