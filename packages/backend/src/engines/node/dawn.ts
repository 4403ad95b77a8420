import type { Detection } from "../../engine.ts";
import type { Gpu } from "../webgpu-adapter.ts";
import { isInstalled, optionalPackage } from "./optional-package.ts";
import { hasVulkanLoader } from "./vulkan-loader.ts";

/** Dawn, the WebGPU of Chrome, as the npm package `webgpu` brings it to Node. */
interface DawnPackage {
  create(flags: readonly string[]): Gpu;
  readonly globals: Readonly<Record<string, unknown>>;
}

/**
 * WebGPU, put where tfjs looks for it unless it is already there: `navigator.gpu` and the global
 * classes. What `DINO_WEBGPU_ADAPTER` names is a part of an adapter's name, or a flag of Dawn
 * such as `backend=null`.
 */
export async function findDawn(): Promise<Gpu | Detection> {
  const global = globalThis as { navigator?: { readonly gpu?: Gpu } };
  if (global.navigator?.gpu !== undefined) return global.navigator.gpu;
  if (isInstalled("webgpu") && namedAdapter() === undefined && !hasVulkanLoader()) {
    return { available: false, reason: "no Vulkan: there is no libvulkan.so.1" };
  }
  const { module, reason } = await optionalPackage<DawnPackage>("webgpu");
  if (module === undefined) return { available: false, reason, install: "npm i webgpu" };
  Object.assign(globalThis, module.globals);
  const gpu = module.create(flags());
  if (global.navigator === undefined) {
    Object.defineProperty(global, "navigator", { value: {}, configurable: true, writable: true });
  }
  // What holds this also keeps its adapters alive.
  Object.defineProperty(global.navigator, "gpu", { value: gpu, configurable: true });
  return gpu;
}

/** What the environment names an adapter by. */
export function namedAdapter(): string | undefined {
  return process.env.DINO_WEBGPU_ADAPTER || undefined;
}

function flags(): readonly string[] {
  const named = namedAdapter();
  if (named === undefined) return [];
  return [named.includes("=") ? named : `adapter=${named}`];
}
