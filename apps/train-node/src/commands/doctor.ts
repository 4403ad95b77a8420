import { cpus, freemem, totalmem } from "node:os";
import { describeEngines, type EngineReport } from "@dino/backend";
import { enginesFolder, tensorflowInstallation } from "@dino/backend/tensorflow";
import type { Command } from "commander";
import { type Context, command } from "../command.ts";
import { jsonLine } from "../console/console.ts";
import { bytes } from "../console/words.ts";
import { startEngine } from "../run/engine.ts";
import { version } from "../run/environment.ts";
import { pictureDecoder } from "../run/picture-decoder.ts";
import * as kinds from "../settings/kinds.ts";
import { flagValue } from "./weights-options.ts";

interface DoctorFlags {
  readonly json?: boolean;
}

export function doctorCommand(context: Context): Command {
  return command("doctor", "engines of this machine, and why each is or is not taken")
    .option("--json", "print one line of JSON")
    .action((flags: DoctorFlags) => doctor(context, flags));
}

async function doctor({ screen, environment }: Context, flags: DoctorFlags): Promise<void> {
  const { colors } = screen;
  const precision = flagValue(
    "DINO_PRECISION",
    environment.DINO_PRECISION || undefined,
    kinds.precision,
  );
  const { line } = await startEngine(environment.DINO_BACKEND || "auto", precision);
  const engines = await describeEngines();
  const machine = {
    dino: version(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryBytes: totalmem(),
    freeBytes: freemem(),
    pictures: await pictureDecoder(),
    enginesFolder: enginesFolder(),
  };
  if (flags.json) {
    screen.result(jsonLine({ ...machine, line, engines }));
    return;
  }
  screen.result(line);
  for (const engine of engines) {
    const { name, available, active, details, reason, install, warning } = engine;
    const mark = active ? colors.green("*") : available ? "+" : colors.dim("-");
    const words = [details, computes(engine), reason, warning, install && `to have it: ${install}`];
    screen.result(`  ${mark} ${name.padEnd(12)} ${words.filter(Boolean).join("; ")}`);
  }
  screen.result(`dino ${machine.dino}, Node ${machine.node} on ${machine.platform}`);
  screen.result(`${machine.processor}, ${machine.cores} cores`);
  screen.result(
    `memory ${bytes(machine.memoryBytes)}, of which ${bytes(machine.freeBytes)} are free`,
  );
  screen.result(`pictures: ${machine.pictures}`);
  screen.result(`engines installed in ${machine.enginesFolder}: ${installed()}`);
}

/** What `dino engine install` has left there. */
function installed(): string {
  const installation = tensorflowInstallation();
  if (installation.state === "absent") return "none";
  if (installation.state === "broken") return `tensorflow, broken: ${installation.reason}`;
  const { tensorflow, tfjsNode, gpu } = installation.manifest;
  const libraries = gpu ? " and NVIDIA's libraries" : "";
  return `tensorflow (TensorFlow ${tensorflow}${libraries} under tfjs-node ${tfjsNode})`;
}

/** What it has beside fp32, or why not. */
function computes({ precisions = [], withoutBf16 }: EngineReport): string | undefined {
  if (precisions.length > 1) return precisions.join(" and ");
  return withoutBf16 && `no bf16: ${withoutBf16}`;
}
