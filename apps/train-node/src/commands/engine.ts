import { type Command, Option } from "commander";
import { type Context, command } from "../command.ts";
import { jsonLine } from "../console/console.ts";
import { stopOnSignals } from "../console/signals.ts";
import { bytes, clock, significant } from "../console/words.ts";
import {
  type InstallOptions,
  type InstallOutcome,
  installTensorflow,
  planTensorflow,
  removeTensorflow,
} from "../engine-install/install-tensorflow.ts";
import { totalBytes } from "../engine-install/plan-downloads.ts";
import { ProgramError } from "../engine-install/run-program.ts";
import { UsageError } from "../errors.ts";

const installable = ["tensorflow"];

interface InstallFlags {
  readonly gpu?: boolean;
  readonly python: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** `dino engine`: install and remove. */
export function engineCommand(context: Context): Command {
  const engine = command("engine", "install or remove an engine that does not come with dino");
  engine.addCommand(installCommand(context));
  engine.addCommand(removeCommand(context));
  return engine;
}

function installCommand(context: Context): Command {
  return command("install", "set an engine up in a folder of your own, for all projects")
    .argument("<engine>", installable.join(", "))
    .option("--gpu", "with NVIDIA's libraries for CUDA 12 (some 3.4 GB to download)")
    .addOption(
      new Option("--python <path>", "the Python 3 whose pip is used").default("python3", "python3"),
    )
    .option("--dry-run", "say what would be downloaded, and install nothing")
    .option(
      "--json",
      'print one line of JSON, {"engine","folder","wasThere","tensorflow","gpu","downloadBytes","diskBytes","seconds","error"}; with --dry-run {"engine","folder","gpu","downloads":[{"name","version","from","bytes"}],"downloadBytes"}',
    )
    .addHelpText(
      "after",
      `
tensorflow is @tensorflow/tfjs-node on the TensorFlow of pip's wheels. It lies in
~/.local/share/dino/engines, or in the folder that DINO_ENGINES_DIR names; beside the caches of pip and
npm nothing else is written. Only their registries are asked. What will be downloaded is said beforehand.
What is there is checked by a training step, and installed anew if it is broken.

Examples:
  dino engine install tensorflow
  dino engine install tensorflow --gpu --dry-run`,
    )
    .action((name: string, flags: InstallFlags) => install(context, name, flags));
}

async function install(context: Context, name: string, flags: InstallFlags): Promise<void> {
  assertInstallable(name);
  const { screen, environment } = context;
  const stop = stopOnSignals(() => screen.note("stopping; nothing is left behind"));
  const { python, gpu = false, dryRun, json = false } = flags;
  const options: InstallOptions = { gpu, python, environment, signal: stop.signal };
  try {
    if (dryRun) {
      const { folder, planned } = await planTensorflow(screen, options);
      const downloads = planned.map(({ others, ...download }) => download);
      const downloadBytes = totalBytes(planned);
      if (json) screen.result(jsonLine({ engine: name, folder, gpu, downloads, downloadBytes }));
      else screen.result(`${name}: ${bytes(downloadBytes)} to download, for ${folder}`);
      return;
    }
    report(context, name, await installTensorflow(screen, options), json);
  } catch (error) {
    if (stop.exitCode === undefined) {
      if (error instanceof ProgramError) for (const line of error.said) screen.note(`  ${line}`);
      throw error;
    }
    context.exitCode = stop.exitCode;
  } finally {
    stop.release();
  }
}

function report({ screen }: Context, name: string, outcome: InstallOutcome, json: boolean): void {
  const { folder, wasThere, manifest, check, downloadBytes, diskBytes, seconds } = outcome;
  const { tensorflow, gpu } = manifest;
  if (json) {
    const figures = { engine: name, folder, wasThere, tensorflow, gpu, downloadBytes, diskBytes };
    screen.result(jsonLine({ ...figures, seconds, error: check.error }));
    return;
  }
  const how = wasThere ? "was there" : `is installed in ${clock(seconds)}`;
  screen.result(`${name}: ${how}, ${bytes(diskBytes)} in ${folder}`);
  screen.result(
    `TensorFlow ${check.version} ${check.gpu ? "on a GPU" : "on the CPU"}: a training step is within ${significant(check.error)} of the cpu backend's`,
  );
  if (gpu && !check.gpu) screen.note("it found no GPU, and computes on the CPU until there is one");
}

interface RemoveFlags {
  readonly json?: boolean;
}

function removeCommand(context: Context): Command {
  return command("remove", "remove an engine that was installed so")
    .argument("<engine>", installable.join(", "))
    .option("--json", 'print one line of JSON, {"engine","folder","removed"}')
    .addHelpText("after", "\nExample:\n  dino engine remove tensorflow")
    .action((name: string, flags: RemoveFlags) => remove(context, name, flags));
}

function remove({ screen }: Context, name: string, flags: RemoveFlags): void {
  assertInstallable(name);
  const { folder, removed } = removeTensorflow();
  if (flags.json) {
    screen.result(jsonLine({ engine: name, folder, removed }));
    return;
  }
  screen.result(removed ? `${name}: ${folder} is removed` : `${name}: nothing in ${folder}`);
}

function assertInstallable(name: string): void {
  if (installable.includes(name)) return;
  throw new UsageError(`engine: expected one of ${installable.join(", ")}, got ${name}`);
}
