import { trainingStep } from "./training-step.ts";

// A program of its own: a library that is loaded cannot be replaced, and one that crashes takes
// its process along.
const [folder = ""] = process.argv.slice(2);
process.stdout.write(`\n${JSON.stringify(await trainingStep(folder))}\n`, () => process.exit(0));
