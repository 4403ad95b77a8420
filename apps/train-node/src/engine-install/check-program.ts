import { trainingStep } from "./training-step.ts";

// A program of its own: a library that is loaded cannot be replaced, and one that crashes takes
// its process along.
const [folder = ""] = process.argv.slice(2);
const outcome = await trainingStep(folder).catch((error: unknown) => ({ failure: String(error) }));
process.stdout.write(`\n${JSON.stringify(outcome)}\n`, () => process.exit(0));
