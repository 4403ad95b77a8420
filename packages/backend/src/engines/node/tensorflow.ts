import { existsSync } from "node:fs";
import util from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import type { Detection, Engine } from "../../engine.ts";
import { activate } from "../activate.ts";
import { hostMemory } from "./host-memory.ts";
import { isInstalled, optionalPackage } from "./optional-package.ts";

const packages = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"] as const;
const install = `npm i ${packages[1]}`;
const behindNative = 40;

/** The parts of tfjs-node's backend that tell what it runs on. */
interface NodeBackend {
  readonly isUsingGpuDevice: boolean;
  readonly binding: { readonly TF_Version?: string };
}

/** TensorFlow's own library under tfjs, on an NVIDIA GPU or a CPU. */
export function tensorflowEngine(): Engine {
  return {
    name: "tensorflow",
    order: 10,
    detect: async ({ asked }) => {
      const installed = packages.filter(isInstalled);
      if (installed.length === 0) return { available: false, reason: "not installed", install };
      // To load the library takes a second and 300 MB: not without need.
      if (!asked && !seesNvidia()) return withoutGpu;
      const failure = await load(installed);
      return failure === undefined ? describe() : { available: false, reason: failure, install };
    },
    start: async () => {
      const failure = await load(packages.filter(isInstalled));
      if (failure !== undefined) throw new Error(failure);
      await activate("tensorflow");
    },
  };
}

const withoutGpu: Detection = { available: true, order: behindNative, reason: "no GPU" };

function describe(): Detection {
  const backend = tf.findBackend("tensorflow") as unknown as NodeBackend;
  const version = backend.binding.TF_Version ?? "unknown version";
  return backend.isUsingGpuDevice
    ? { available: true, details: `${version}, GPU` }
    : { ...withoutGpu, details: `${version}, CPU`, memoryBytes: hostMemory() };
}

/** Loads the first package that loads, without making its backend the active one, or says why not. */
async function load(installed: readonly string[]): Promise<string | undefined> {
  if (tf.findBackendFactory("tensorflow") !== null) return undefined;
  // What Node 23 has removed, and 22 warns of.
  Object.assign(util, { isArray: Array.isArray, isNullOrUndefined: (x: unknown) => x == null });
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "3";
  const active = tf.getBackend();
  let failure = "not installed";
  for (const name of installed) {
    const { module, reason } = await optionalPackage<object>(name);
    if (module === undefined) {
      failure = reason;
      continue;
    }
    if (active !== undefined) await tf.setBackend(active); // importing it has made it the active one
    return undefined;
  }
  return failure;
}

/** Whether the driver of an NVIDIA GPU is there. */
function seesNvidia(): boolean {
  const signs =
    process.platform === "win32"
      ? [`${process.env.SystemRoot ?? "C:\\Windows"}\\System32\\nvcuda.dll`]
      : ["/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg"];
  return signs.some((path) => existsSync(path));
}
