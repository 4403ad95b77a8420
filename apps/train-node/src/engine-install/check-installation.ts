import { fileURLToPath } from "node:url";
import { RunError } from "../errors.ts";
import { type ProgramOptions, runProgram } from "./run-program.ts";
import type { StepOutcome } from "./training-step.ts";

const program = fileURLToPath(new URL("./check-program.js", import.meta.url));
/** float32 in another order of summation is off by some 1e-6. */
const tolerance = 1e-3;

/** Has a training step computed by the engine in `folder`; throws unless it is right. */
export async function checkInstallation(
  folder: string,
  options: ProgramOptions,
): Promise<StepOutcome> {
  const text = await runProgram(process.execPath, [program, folder], options);
  const outcome = JSON.parse(text.trim().split("\n").at(-1) as string) as StepOutcome;
  // What is not a number is null in JSON.
  if (typeof outcome.error === "number" && outcome.error <= tolerance) return outcome;
  throw new RunError(
    `tensorflow: expected a training step within ${tolerance} of the cpu backend's, got ${outcome.error}`,
  );
}
