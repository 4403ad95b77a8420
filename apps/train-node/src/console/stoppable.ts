import type { Context } from "../command.ts";
import { stopOnSignals } from "./signals.ts";

export interface StoppableWords {
  /** Said at the first signal. */
  readonly stopping: string;
  /** Said when it has stopped. */
  readonly stopped: string;
}

/**
 * Runs `work` until it ends or a signal comes: it then ends early by itself or rejects with the
 * signal's reason, and the program's exit code is the signal's.
 */
export async function stoppable(
  context: Context,
  { stopping, stopped }: StoppableWords,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { screen } = context;
  const stop = stopOnSignals(() => screen.note(`${stopping}; once more to leave at once`));
  try {
    await work(stop.signal);
  } catch (error) {
    if (error !== stop.signal.reason || stop.exitCode === undefined) throw error;
  } finally {
    stop.release();
  }
  if (stop.exitCode === undefined) return;
  screen.note(stopped);
  context.exitCode = stop.exitCode;
}
