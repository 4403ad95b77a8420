import { type Command, Option } from "commander";
import { type Context, command } from "../command.ts";
import { jsonLine } from "../console/console.ts";
import { stopOnSignals } from "../console/signals.ts";
import { significant } from "../console/words.ts";
import { installTensorflow, removeTensorflow } from "../engine-install/install-tensorflow.ts";
import { UsageError } from "../errors.ts";

const installable = ["tensorflow"];

interface InstallFlags {
  readonly gpu?: boolean;
  readonly python: string;
  readonly json?: boolean;
}

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
    .option(
      "--json",
      'print one line of JSON, {"engine","folder","wasThere","tensorflow","gpu","downloadBytes","seconds","error"}',
    )
    .addHelpText(
      "after",
      `
tensorflow is @tensorflow/tfjs-node on the TensorFlow of pip's wheels. It lies in
~/.local/share/dino/engines, or in the folder that DINO_ENGINES_DIR names; nothing else is written.
Only the registries of pip and npm are asked. What will be downloaded is said beforehand. What is there
is checked by a training step, and installed anew if it is broken.

Example:
  dino engine install tensorflow`,
    )
    .action((name: string, flags: InstallFlags) => install(context, name, flags));
}

async function install(context: Context, name: string, flags: InstallFlags): Promise<void> {
  assertInstallable(name);
  const { screen, environment } = context;
  const stop = stopOnSignals(() => screen.note("stopping; nothing is left behind"));
  try {
    const { folder, wasThere, manifest, check, downloadBytes, seconds } = await installTensorflow(
      screen,
      { gpu: flags.gpu === true, python: flags.python, environment, signal: stop.signal },
    );
    const { tensorflow, gpu } = manifest;
    if (flags.json) {
      const { error } = check;
      const figures = { engine: name, folder, wasThere, tensorflow, gpu };
      screen.result(jsonLine({ ...figures, downloadBytes, seconds, error }));
      return;
    }
    screen.result(`${name}: ${wasThere ? "was there" : "is installed"} in ${folder}`);
    screen.result(
      `TensorFlow ${check.version} ${check.gpu ? "on a GPU" : "on the CPU"}: a training step is within ${significant(check.error)} of the cpu backend's`,
    );
    if (gpu && !check.gpu)
      screen.note("it found no GPU, and computes on the CPU until there is one");
  } catch (error) {
    if (stop.exitCode === undefined) throw error;
    context.exitCode = stop.exitCode;
  } finally {
    stop.release();
  }
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
