import { existsSync, lstatSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { enginesFolder } from "./engines-folder.ts";

/** What an installation says about itself, in its `installation.json`. */
export interface TensorflowManifest {
  readonly format: 1;
  /** Version of TensorFlow. */
  readonly tensorflow: string;
  /** Version of `@tensorflow/tfjs-node`. */
  readonly tfjsNode: string;
  /** Whether it brings NVIDIA's libraries along. */
  readonly gpu: boolean;
  /** What it was made for: "linux-x64". */
  readonly platform: string;
  /** The Node that it was made by. */
  readonly node: string;
  /** The Python packages whose libraries it holds, with their versions. */
  readonly wheels: Readonly<Record<string, string>>;
  /** The bytes of each library that it loads, by its path in the folder. */
  readonly libraries: Readonly<Record<string, number>>;
}

/** What there is in the place of the installation. */
export type TensorflowInstallation = { readonly folder: string } & (
  | { readonly state: "absent" }
  /** Something is missing or does not fit; `reason` names it. */
  | { readonly state: "broken"; readonly reason: string }
  | {
      readonly state: "ready";
      readonly manifest: TensorflowManifest;
      /** The folder of the package `@tensorflow/tfjs-node`. */
      readonly packageFolder: string;
    }
);

/** Where tfjs-node lies inside an installation; its links lead from there to `python`. */
export const packagePath = "npm/node_modules/@tensorflow/tfjs-node";

/** Inside the package: the links to TensorFlow's libraries. */
export const links: Readonly<Record<string, string>> = {
  "deps/lib/libtensorflow_cc.so.2": "python/tensorflow/libtensorflow_cc.so.2",
  "deps/lib/libtensorflow_framework.so.2": "python/tensorflow/libtensorflow_framework.so.2",
};

/** For the wheel with CUDA, which looks for NVIDIA's libraries beside its own. */
export const gpuLinks: Readonly<Record<string, string>> = { "deps/nvidia": "python/nvidia" };

/** The addon that tfjs-node will look for on this Node: the newest Node-API that both know. */
export function addonPath(nodeApi: number = Number(process.versions.napi)): string {
  const newest = 8;
  return `lib/napi-v${Math.min(newest, nodeApi)}/tfjs_binding.node`;
}

/** Looks at the installation of `dino engine install tensorflow`, without loading anything. */
export function tensorflowInstallation(
  folder: string = join(enginesFolder(), "tensorflow"),
): TensorflowInstallation {
  if (!existsSync(folder)) return { folder, state: "absent" };
  const manifest = readManifest(folder);
  if (typeof manifest === "string") return { folder, state: "broken", reason: manifest };
  const packageFolder = join(folder, packagePath);
  const reason = defect(folder, packageFolder, manifest);
  if (reason !== undefined) return { folder, state: "broken", reason };
  return { folder, state: "ready", manifest, packageFolder };
}

function readManifest(folder: string): TensorflowManifest | string {
  const file = join(folder, "installation.json");
  if (!existsSync(file)) return "installation.json is missing";
  try {
    const manifest = JSON.parse(readFileSync(file, "utf8")) as Partial<TensorflowManifest>;
    if (manifest.format !== 1) {
      return `installation.json: expected format 1, got ${manifest.format}`;
    }
    if (manifest.libraries === undefined) return "installation.json names no libraries";
    return manifest as TensorflowManifest;
  } catch {
    return "installation.json is not JSON";
  }
}

/** What is wrong with it, if anything is. */
function defect(
  folder: string,
  packageFolder: string,
  { platform, gpu, libraries }: TensorflowManifest,
): string | undefined {
  const here = `${process.platform}-${process.arch}`;
  if (platform !== here) return `made for ${platform}, not ${here}`;
  if (!existsSync(join(folder, "python"))) return "the folder python is missing";
  if (!existsSync(join(packageFolder, "package.json"))) return `${packagePath} is missing`;
  for (const [path, bytes] of Object.entries(libraries)) {
    const size = statSync(join(folder, path), { throwIfNoEntry: false })?.size;
    if (size === undefined) return `${path} is missing`;
    if (size !== bytes) return `${path}: expected ${bytes} bytes, got ${size}`;
  }
  for (const link of Object.keys({ ...links, ...(gpu && gpuLinks) })) {
    const path = join(packageFolder, link);
    if (existsSync(path)) continue;
    return isLink(path) ? `the link ${link} leads nowhere` : `the link ${link} is missing`;
  }
  const addon = addonPath();
  if (!existsSync(join(packageFolder, addon))) {
    return `the addon ${addon} for Node ${process.version} is missing`;
  }
  return undefined;
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}
