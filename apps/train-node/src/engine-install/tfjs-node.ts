import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { addonPath, gpuLinks, links, packagePath } from "@dino/backend/tensorflow";
import { RunError } from "../errors.ts";
import type { NpmPlan } from "./plan-downloads.ts";
import { type ProgramOptions, runProgram } from "./run-program.ts";

/** The last release; it is what the links below are made for. */
export const tfjsNodeVersion = "4.22.0";
export const tfjsNodeName = "@tensorflow/tfjs-node";

/** npm without what a surrounding npm or pnpm tells its children. */
export function npmEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const own =
    /^npm_(package_|lifecycle_|config_((local_|global_)?prefix|global|location|workspaces?|ignore_scripts|dry_run|json|include|omit|package_lock(_only)?)$)/i;
  const kept = Object.entries(environment).filter(([key]) => !own.test(key));
  return {
    ...Object.fromEntries(kept),
    // The build has to use the Node that will load the addon.
    PATH: `${dirname(process.execPath)}:${environment.PATH ?? ""}`,
    npm_config_audit: "false",
    npm_config_fund: "false",
    npm_config_update_notifier: "false",
    npm_config_progress: "false",
    npm_config_omit_lockfile_registry_resolved: "false",
  };
}

/** Writes what is to be installed into `folder`, and returns the packages of tfjs among it. */
export async function planPackages(
  folder: string,
  headers: string | undefined,
  options: ProgramOptions,
): Promise<NpmPlan> {
  mkdirSync(folder, { recursive: true });
  const major = process.versions.node.split(".")[0];
  const dependencies = {
    [tfjsNodeName]: tfjsNodeVersion,
    ...(headers === undefined && { [`node-${process.platform}-${process.arch}`]: major }),
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies }));
  await npm(folder, ["install", "--package-lock-only", "--ignore-scripts"], options);
  return parseLock(readFileSync(join(folder, "package-lock.json"), "utf8"));
}

/** The files that npm's lock lists: those of tfjs and Node, beside which the others are small. */
export function parseLock(text: string): NpmPlan {
  const { packages = {} } = JSON.parse(text) as {
    readonly packages?: Readonly<Record<string, { readonly resolved?: string }>>;
  };
  const resolved = Object.entries(packages).flatMap(([path, { resolved }]) =>
    resolved === undefined ? [] : [{ path, resolved }],
  );
  const large = /node_modules\/(@tensorflow\/[^/]+|node-[^/]+-[^/]+)$/;
  return {
    urls: resolved.filter(({ path }) => large.test(path)).map(({ resolved }) => resolved),
    packages: resolved.length,
  };
}

/** Downloads what is planned, and runs nothing of it. */
export async function installPackages(folder: string, options: ProgramOptions): Promise<void> {
  await npm(folder, ["ci", "--ignore-scripts"], options);
}

/** What the addon is built with, and nobody needs afterwards. */
const headers = { "deps/include": "python/tensorflow/include" };

/**
 * Links TensorFlow's libraries and headers into the package, as its own installation would place
 * them. Relative, so that the whole may be moved.
 */
export function linkLibraries(installation: string, gpu: boolean): void {
  const packageFolder = join(installation, packagePath);
  const wanted = { ...links, ...headers, ...(gpu && gpuLinks) };
  for (const [link, target] of Object.entries(wanted)) {
    place(relative(dirname(join(packageFolder, link)), join(installation, target)), link);
  }
  // What the linker is told, and what the package's own script looks for before it downloads.
  for (const alias of ["libtensorflow.so", "libtensorflow.so.2", "libtensorflow.so.2.9.1"]) {
    place("libtensorflow_cc.so.2", `deps/lib/${alias}`);
  }
  place("libtensorflow_framework.so.2", "deps/lib/libtensorflow_framework.so");

  function place(target: string, link: string): void {
    const path = join(packageFolder, link);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(target, path);
  }
}

/** Builds the addon against the linked libraries: by the package's own script, without downloads. */
export async function buildAddon(
  installation: string,
  { python, headers }: { readonly python: string; readonly headers: string | undefined },
  options: ProgramOptions,
): Promise<void> {
  const folder = join(installation, "npm");
  const packed = join(folder, "node_modules", `node-${process.platform}-${process.arch}`);
  await npm(folder, ["rebuild", tfjsNodeName], {
    ...options,
    environment: {
      ...options.environment,
      npm_config_build_from_source: "true",
      npm_config_nodedir: headers ?? packed,
      npm_config_python: python,
      npm_config_foreground_scripts: "true",
      // A worker thread that ends would unload TensorFlow, and the process crash at its own end.
      LDFLAGS: `${options.environment?.LDFLAGS ?? ""} -Wl,-z,nodelete`,
    },
  });
  const addon = addonPath();
  if (!existsSync(join(installation, packagePath, addon))) {
    throw new RunError(`${tfjsNodeName}: expected its build to make ${addon}, got none`);
  }
}

async function npm(
  folder: string,
  words: readonly string[],
  options: ProgramOptions,
): Promise<string> {
  return await runProgram("npm", words, { ...options, cwd: folder });
}
