import type { Detection, Engine } from "../engine.ts";
import { activate } from "./activate.ts";
import {
  type Adapter,
  adapterName,
  fastestAdapter,
  type Gpu,
  isSoftware,
} from "./webgpu-adapter.ts";

export interface WebGpuEngineOptions {
  /** WebGPU itself, or why there is none. */
  find(): Promise<Gpu | Detection>;
  /** What somebody has named an adapter by, which then will do whatever it is. */
  named?(): string | undefined;
  readonly stock?: boolean;
}

/** Our kernels on any GPU by WebGPU; with `stock`, tfjs's own in their stead, to compare with. */
export function webGpuEngine({
  find,
  named = () => undefined,
  stock = false,
}: WebGpuEngineOptions): Engine {
  return {
    name: stock ? "webgpu-stock" : "webgpu",
    order: stock ? 70 : 20,
    detect: async ({ asked }) => {
      const gpu = await find();
      if (!("requestAdapter" in gpu)) return gpu;
      const name = named();
      const { adapter, others } = await adapterOf(gpu);
      if (adapter === null) return { available: false, reason: withoutAdapter(name, others) };
      const details = `${adapterName(adapter)}${stock ? ", tfjs's own kernels" : ""}`;
      const found: Detection = {
        available: true,
        details,
        ...(!stock && { precisions: ["fp32", "f16"], withoutBf16: "WebGPU's 16 bits are f16" }),
      };
      if (!isSoftware(adapter)) return found;
      const available = asked || name !== undefined;
      return { ...found, available, reason: "software adapter", software: true };
    },
    start: async ({ precision }) => {
      await find(); // tfjs only registers a backend where it then finds `navigator.gpu`
      const { registerWebgpuBackend, stockBackendName } = await import("@dino/backend-webgpu");
      if (precision === "bf16") throw new Error("precision: expected fp32 or f16, got bf16");
      registerWebgpuBackend({ precision });
      await activate(stock ? stockBackendName : "webgpu");
    },
  };
}

/** The adapter, or the names of those that there are beside the one that was named. */
async function adapterOf(
  gpu: Gpu,
): Promise<{ readonly adapter: Adapter | null; readonly others: readonly string[] }> {
  try {
    return { adapter: await fastestAdapter(gpu), others: [] };
  } catch (error) {
    // Dawn, given a name, has an error with a list instead of no adapter.
    if (!(error instanceof Error) || !error.message.startsWith(noneFits)) throw error;
    return { adapter: null, others: [...error.message.matchAll(/name: '([^']*)'/g)].map(lastOf) };
  }
}

const noneFits = "no suitable backends found";

const lastOf = (match: RegExpMatchArray) => match.at(-1) as string;

function withoutAdapter(name: string | undefined, others: readonly string[]): string {
  if (name === undefined) return "no adapter";
  const there = others.length > 0 ? `there is ${others.join(", ")}` : "there is none";
  return `no adapter called ${name}; ${there}`;
}
