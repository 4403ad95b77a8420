import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TensorflowManifest, tensorflowInstallation } from "@dino/backend/tensorflow";
import type { Console } from "../console/console.ts";
import { bytes, clock } from "../console/words.ts";
import { RunError } from "../errors.ts";
import { checkInstallation } from "./check-installation.ts";
import { downloadSize } from "./download-size.ts";
import { assertSupported, findTools, thisMachine } from "./requirements.ts";
import { freeBytes, removeFolder, stage } from "./staging.ts";
import {
  buildAddon,
  installPackages,
  linkLibraries,
  npmEnvironment,
  planPackages,
  tfjsNodeVersion,
} from "./tfjs-node.ts";
import type { StepOutcome } from "./training-step.ts";
import { type Download, installWheels, ownPip, planWheels } from "./wheels.ts";

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
  readonly seconds: number;
}

/** What unpacked wheels and the packages of npm take up, relative to the download. */
const unpacking = 4;

/** Sets the engine up in the person's own folder, or checks the one that is there. */
export async function installTensorflow(
  screen: Console,
  { gpu, python, environment, signal }: InstallOptions,
): Promise<InstallOutcome> {
  const start = performance.now();
  const before = tensorflowInstallation();
  const { folder } = before;
  const finished = (outcome: Omit<InstallOutcome, "folder" | "seconds">): InstallOutcome => ({
    folder,
    ...outcome,
    seconds: (performance.now() - start) / 1000,
  });
  if (before.state === "ready" && (before.manifest.gpu || !gpu)) {
    screen.note(`${folder}: is there; checking it by a training step`);
    try {
      const check = await checkInstallation(folder, { environment, signal });
      const { manifest } = before;
      return finished({ wasThere: true, manifest, check, downloadBytes: 0 });
    } catch (error) {
      if (!(error instanceof RunError)) throw error;
      screen.note(`${folder}: is installed anew, since it failed: ${cause(error)}`);
    }
  }
  if (before.state === "broken") {
    screen.note(`${folder}: is installed anew, since it is broken: ${before.reason}`);
  }

  assertSupported(thisMachine());
  const tools = await findTools(python, environment, signal);
  const staging = stage(folder);
  try {
    const temporary = staging.folder;
    const npmOptions = { environment: npmEnvironment(environment), signal };
    const npmFolder = join(temporary, "npm");
    screen.note("asking pip and npm what there is to download");
    const pip = await ownPip(python, join(temporary, "pip"), environment, signal);
    const wheels = await planWheels(pip, gpu);
    const packages = await planPackages(npmFolder, tools.nodeHeaders, npmOptions);
    const downloadBytes = await announce(screen, wheels, packages, signal);
    const free = freeBytes(temporary);
    if (free < unpacking * downloadBytes) {
      throw new RunError(
        `${folder}: expected ${bytes(unpacking * downloadBytes)} free on its disk, got ${bytes(free)}`,
      );
    }

    const stages: readonly (readonly [what: string, () => Promise<void>])[] = [
      [
        "downloading and unpacking the wheels",
        async () => {
          await installWheels(pip, wheels, join(temporary, "python"), (file, share) => {
            screen.draw(`${file}: ${Math.round(100 * share)} %`);
          });
          keepLibraries(temporary);
        },
      ],
      ["downloading the packages of npm", () => installPackages(npmFolder, npmOptions)],
      [
        "building the addon",
        () => {
          linkLibraries(temporary, gpu);
          return buildAddon(temporary, { python, headers: tools.nodeHeaders }, npmOptions);
        },
      ],
    ];
    for (const [what, run] of stages) {
      screen.note(what);
      await run();
      screen.draw("");
    }
    const manifest = describe(wheels, gpu);
    writeFileSync(join(temporary, "installation.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    screen.note("checking it by a training step");
    const check = await checkInstallation(temporary, { environment, signal });
    signal.throwIfAborted();
    staging.finish();
    const outcome = finished({ wasThere: false, manifest, check, downloadBytes });
    screen.note(`done in ${clock(outcome.seconds)}`);
    return outcome;
  } finally {
    staging.abandon();
  }
}

/** Says what will be downloaded; returns the bytes that are known of. */
async function announce(
  screen: Console,
  wheels: readonly Download[],
  { urls, packages }: { readonly urls: readonly string[]; readonly packages: number },
  signal: AbortSignal,
): Promise<number> {
  const size = async (files: readonly string[]) => {
    const { bytes: known, unknown } = await downloadSize(files, signal);
    if (known === 0) return { known, words: "of unknown size" };
    return { known, words: `${unknown > 0 ? "more than " : ""}${bytes(known)}` };
  };
  screen.note("to download:");
  let total = 0;
  for (const { name, version, url } of wheels) {
    const { known, words } = await size([url]);
    screen.note(`  ${name} ${version}, from pip: ${words}`);
    total += known;
  }
  const { known, words } = await size(urls);
  const rest = packages - urls.length;
  screen.note(`  @tensorflow/tfjs-node ${tfjsNodeVersion}, from npm, with what it needs: ${words}`);
  if (rest > 0) screen.note(`  and ${rest} small packages of npm`);
  screen.note(`  together ${bytes(total + known)}`);
  return total + known;
}

/** Of the wheels only libraries and headers are used: the rest is a third of their size. */
function keepLibraries(temporary: string): void {
  const python = join(temporary, "python");
  const folder = join(python, "tensorflow");
  for (const name of readdirSync(folder)) {
    if (name === "include" || name.includes(".so")) continue;
    if (/^(LICENSE|THIRD_PARTY)/.test(name)) continue;
    rmSync(join(folder, name), { recursive: true });
  }
  rmSync(join(python, "bin"), { recursive: true, force: true });
  rmSync(join(temporary, "pip"), { recursive: true });
}

function describe(wheels: readonly Download[], gpu: boolean): TensorflowManifest {
  const versions = Object.fromEntries(wheels.map(({ name, version }) => [name, version]));
  return {
    format: 1,
    tensorflow: versions.tensorflow ?? (versions["tensorflow-cpu"] as string),
    tfjsNode: tfjsNodeVersion,
    gpu,
    platform: `${process.platform}-${process.arch}`,
    node: process.version,
    wheels: versions,
  };
}

/** Removes the engine, if there is one. */
export function removeTensorflow(): { readonly folder: string; readonly removed: boolean } {
  const { folder, state } = tensorflowInstallation();
  if (state !== "absent") removeFolder(folder);
  return { folder, removed: state !== "absent" };
}

/** The last line of what a failed program said. */
function cause(error: RunError): string {
  const words = error.cause instanceof Error ? error.cause.message : error.message;
  return words.split("\n").at(-1) ?? words;
}
