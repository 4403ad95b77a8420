import { existsSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import type { Detection, Engine } from "../../engine.ts";
import { firstLine } from "../../select-engine.ts";
import { activate } from "../activate.ts";
import { hostMemory } from "./host-memory.ts";
import { isInstalled } from "./optional-package.ts";
import { tensorflowInstallation } from "./tensorflow/installation.ts";
import { registerTensorflowKernels } from "./tensorflow/kernels.ts";
import { installedRoot, loadPackage } from "./tensorflow/load-package.ts";

const packages = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"] as const;
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
      const { places, reason } = find();
      if (places.length === 0) return { available: false, reason, install: install() };
      // To load the library takes a second and 300 MB: not without need.
      if (!asked && !seesNvidia()) return withoutGpu;
      const failure = await load(places);
      return failure === undefined
        ? describe()
        : { available: false, reason: failure, install: install() };
    },
    start: async () => {
      const { places, reason } = find();
      const failure = places.length === 0 ? reason : await load(places);
      if (failure !== undefined) throw new Error(failure);
      await activate("tensorflow");
      registerTensorflowKernels();
    },
  };
}

const withoutGpu: Detection = { available: true, order: behindNative, reason: "no GPU" };

/** What would make it available, or sound again. */
function install(): string {
  return `npx @dino/cli engine install tensorflow${seesNvidia() ? " --gpu" : ""}`;
}

function describe(): Detection {
  const backend = tf.findBackend("tensorflow") as unknown as NodeBackend;
  const version = backend.binding.TF_Version ?? "unknown version";
  return backend.isUsingGpuDevice
    ? { available: true, details: `${version}, GPU` }
    : { ...withoutGpu, details: `${version}, CPU`, memoryBytes: hostMemory() };
}

/** A tfjs-node, and from where it is found. */
interface Place {
  readonly name: string;
  readonly root: string;
}

/** Packages that npm has installed for whoever imports this one, then the person's own engine. */
function find(): { readonly places: readonly Place[]; readonly reason: string } {
  const places: Place[] = packages
    .filter(isInstalled)
    .map((name) => ({ name, root: import.meta.url }));
  const installation = tensorflowInstallation();
  if (installation.state === "ready") {
    places.push({ name: packages[1], root: installedRoot(installation.folder) });
  }
  const isBroken = installation.state === "broken";
  const reason = isBroken
    ? `broken in ${installation.folder}: ${installation.reason}`
    : "not installed";
  return { places, reason };
}

/** Loads the first that loads, without making its backend the active one, or says why none does. */
async function load(places: readonly Place[]): Promise<string | undefined> {
  let failure = "not installed";
  for (const { name, root } of places) {
    try {
      await loadPackage(name, root);
      return undefined;
    } catch (error) {
      failure = `does not load: ${firstLine(error)}`;
    }
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
