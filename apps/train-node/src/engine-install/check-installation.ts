import { fileURLToPath } from "node:url";
import { RunError } from "../errors.ts";
import { ProgramError, type ProgramOptions, runProgram } from "./run-program.ts";
import type { StepOutcome } from "./training-step.ts";

const program = fileURLToPath(new URL("./check-program.js", import.meta.url));
/** float32 in another order of summation is off by some 1e-6. */
const tolerance = 1e-3;

/** What the program prints: the step's figures, or why there are none. */
type Printed = StepOutcome | { readonly failure: string };

/** Has a training step computed by the engine in `folder`; throws a RunError unless it is right. */
export async function checkInstallation(
  folder: string,
  options: ProgramOptions,
): Promise<StepOutcome> {
  const printed = await runCheck(folder, options);
  if ("failure" in printed) {
    const failure = printed.failure.split("\n", 1)[0];
    throw new RunError(`${folder}: expected an engine that trains a step, got ${failure}`);
  }
  // What is not a number is null in JSON.
  if (typeof printed.error === "number" && printed.error <= tolerance) return printed;
  throw new RunError(
    `${folder}: expected a training step within ${tolerance} of the cpu backend's, got ${printed.error}`,
  );
}

async function runCheck(folder: string, options: ProgramOptions): Promise<Printed> {
  try {
    const text = await runProgram(process.execPath, [program, folder], options);
    return JSON.parse(text.trim().split("\n").at(-1) as string) as Printed;
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    const last = error.said.at(-1);
    return { failure: `a process that crashed${last === undefined ? "" : `: ${last}`}` };
  }
}
