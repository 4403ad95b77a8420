import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TensorflowManifest, tensorflowInstallation } from "@dino/backend/tensorflow";
import type { Console } from "../console/console.ts";
import { bytes } from "../console/words.ts";
import { RunError } from "../errors.ts";
import { checkInstallation } from "./check-installation.ts";
import { folderBytes, keepLibraries, libraryBytes, removeBuildFiles } from "./keep-libraries.ts";
import { neededBytes, type PlannedDownload, planDownloads, totalBytes } from "./plan-downloads.ts";
import { assertSupported, findTools, type Tools, thisMachine } from "./requirements.ts";
import { freeBytes, removeFolder, stage } from "./staging.ts";
import {
  buildAddon,
  installPackages,
  linkLibraries,
  npmEnvironment,
  planPackages,
  tfjsNodeName,
  tfjsNodeVersion,
} from "./tfjs-node.ts";
import type { StepOutcome } from "./training-step.ts";
import { type Download, installWheels, ownPip, type Pip, planWheels } from "./wheels.ts";

export interface InstallOptions {
  /** Whether to bring NVIDIA's libraries along. */
  readonly gpu: boolean;
  /** The Python whose pip fetches the wheels. */
  readonly python: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** What an installation came to. */
export interface InstallOutcome {
  readonly folder: string;
  /** Whether it was there, and sound, before. */
  readonly wasThere: boolean;
  readonly manifest: TensorflowManifest;
  readonly check: StepOutcome;
  /** Bytes that were downloaded, where their servers told. */
  readonly downloadBytes: number;
  /** Bytes that it takes up. */
  readonly diskBytes: number;
  readonly seconds: number;
}

/** Sets the engine up in the person's own folder, or checks the one that is there. */
export async function installTensorflow(
  screen: Console,
  options: InstallOptions,
): Promise<InstallOutcome> {
  const start = performance.now();
  const outcome = (await checkPresent(screen, options)) ?? (await installAnew(screen, options));
  const seconds = (performance.now() - start) / 1000;
  return { ...outcome, diskBytes: folderBytes(outcome.folder), seconds };
}

/** What `installTensorflow` would download, a line each; nothing is installed. */
export async function planTensorflow(
  screen: Console,
  options: InstallOptions,
): Promise<{ readonly folder: string; readonly planned: readonly PlannedDownload[] }> {
  const { folder } = tensorflowInstallation();
  const planned = await inStaging(folder, async (temporary) => {
    const { planned } = await plan(screen, temporary, options);
    return planned;
  });
  return { folder, planned };
}

type Made = Omit<InstallOutcome, "diskBytes" | "seconds">;

/** Checks the installation that is there; nothing if there is none, or none that will do. */
async function checkPresent(
  screen: Console,
  { gpu, environment, signal }: InstallOptions,
): Promise<Made | undefined> {
  const present = tensorflowInstallation();
  const { folder } = present;
  if (present.state === "broken") {
    screen.note(`${folder}: is installed anew, since it is broken: ${present.reason}`);
  }
  if (present.state !== "ready") return undefined;
  const { manifest } = present;
  if (gpu && !manifest.gpu) {
    screen.note(`${folder}: is installed anew, since it is one without NVIDIA's libraries`);
    return undefined;
  }
  screen.note(`${folder}: is there; checking it by a training step`);
  try {
    const check = await checkInstallation(folder, { environment, signal });
    return { folder, wasThere: true, manifest, check, downloadBytes: 0 };
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    screen.note(error.message);
    screen.note(`${folder}: is installed anew`);
    return undefined;
  }
}

async function installAnew(screen: Console, options: InstallOptions): Promise<Made> {
  const { gpu, python, environment, signal } = options;
  const { folder } = tensorflowInstallation();
  return await inStaging(folder, async (temporary, finish) => {
    const { tools, pip, wheels, planned, npmFolder, npmOptions } = await plan(
      screen,
      temporary,
      options,
    );
    const [needed, free] = [neededBytes(planned), freeBytes(temporary)];
    if (free < needed) {
      throw new RunError(
        `${folder}: expected ${bytes(needed)} free on its disk, got ${bytes(free)}`,
      );
    }
    screen.note("downloading and unpacking the wheels");
    await installWheels(pip, wheels, join(temporary, "python"), (file, share) => {
      screen.draw(`${file}: ${Math.round(100 * share)} %`);
    });
    keepLibraries(temporary);
    rmSync(join(temporary, "pip"), { recursive: true });
    screen.draw("");
    screen.note("downloading the packages of npm");
    await installPackages(npmFolder, npmOptions);
    screen.note("building the addon");
    linkLibraries(temporary, gpu);
    await buildAddon(temporary, { python, headers: tools.nodeHeaders }, npmOptions);
    removeBuildFiles(temporary);
    const manifest = describe(temporary, wheels, gpu);
    writeFileSync(join(temporary, "installation.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    screen.note("checking it by a training step");
    const check = await checkInstallation(temporary, { environment, signal });
    signal.throwIfAborted();
    finish();
    return { folder, wasThere: false, manifest, check, downloadBytes: totalBytes(planned) };
  });
}

/** Runs `make` with a folder beside `folder` that is gone afterwards, unless it is finished. */
async function inStaging<T>(
  folder: string,
  make: (temporary: string, finish: () => void) => Promise<T>,
): Promise<T> {
  const staging = stage(folder);
  try {
    return await make(staging.folder, staging.finish);
  } finally {
    staging.abandon();
  }
}

interface Plan {
  readonly tools: Tools;
  readonly pip: Pip;
  readonly wheels: readonly Download[];
  readonly planned: readonly PlannedDownload[];
  readonly npmFolder: string;
  readonly npmOptions: { readonly environment: InstallOptions["environment"] };
}

/** Finds out what there is to download, and says it. */
async function plan(
  screen: Console,
  temporary: string,
  { gpu, python, environment, signal }: InstallOptions,
): Promise<Plan> {
  assertSupported(thisMachine());
  const tools = await findTools(python, environment, signal);
  screen.note("asking pip and npm what there is to download");
  const npmFolder = join(temporary, "npm");
  const npmOptions = { environment: npmEnvironment(environment), signal };
  const pip = await ownPip(python, join(temporary, "pip"), environment, signal);
  const wheels = await planWheels(pip, gpu);
  const packages = await planPackages(npmFolder, tools.nodeHeaders, npmOptions);
  const tfjsNode = { name: tfjsNodeName, version: tfjsNodeVersion, ...packages };
  const planned = await planDownloads(wheels, tfjsNode, signal);
  screen.note("to download:");
  for (const download of planned) screen.note(`  ${words(download)}`);
  screen.note(`  together ${bytes(totalBytes(planned))}`);
  return { tools, pip, wheels, planned, npmFolder, npmOptions };
}

function words({ name, version, from, bytes: known, others }: PlannedDownload): string {
  const size = known === 0 ? "of unknown size" : bytes(known);
  const needs = from === "npm" ? " with what it needs" : "";
  const rest = others > 0 ? `, and ${others} small packages` : "";
  return `${name} ${version}, from ${from}: ${size}${needs}${rest}`;
}

function describe(
  installation: string,
  wheels: readonly Download[],
  gpu: boolean,
): TensorflowManifest {
  const versions = Object.fromEntries(wheels.map(({ name, version }) => [name, version]));
  return {
    format: 1,
    tensorflow: versions.tensorflow ?? (versions["tensorflow-cpu"] as string),
    tfjsNode: tfjsNodeVersion,
    gpu,
    platform: `${process.platform}-${process.arch}`,
    node: process.version,
    wheels: versions,
    libraries: libraryBytes(installation),
  };
}

/** Removes the engine, if there is one. */
export function removeTensorflow(): { readonly folder: string; readonly removed: boolean } {
  const { folder, state } = tensorflowInstallation();
  if (state !== "absent") removeFolder(folder);
  return { folder, removed: state !== "absent" };
}
