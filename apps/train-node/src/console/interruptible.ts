import type { Context } from "../command.ts";
import { stopOnSignals } from "./signals.ts";

/**
 * Runs what a signal may stop: the first Ctrl-C or SIGTERM asks it to, and the program then ends as
 * a shell expects, after `words` that say what is left; the second ends the program at once.
 */
export async function interruptible(
  context: Context,
  words: string,
  run: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { screen } = context;
  const stop = stopOnSignals(() => screen.note("stopping; once more to leave at once"));
  try {
    await run(stop.signal);
  } catch (error) {
    if (error !== stop.signal.reason || stop.exitCode === undefined) throw error;
    screen.settle();
    screen.note(words);
    context.exitCode = stop.exitCode;
  } finally {
    stop.release();
  }
}
