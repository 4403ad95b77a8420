/** One run through the data, which can be stopped from several sides. */
export interface Halt {
  /** Aborted as soon as the run is to stop. */
  readonly signal: AbortSignal;
  /** The same for threads, in shared memory: not 0 once stopped. */
  readonly flag: Int32Array;
  /** Stops the run. Later calls do nothing. */
  stop(reason?: unknown): void;
}

/** A run that also stops when `signal` says so, for the same reason. */
export function createHalt(signal?: AbortSignal): Halt {
  const controller = new AbortController();
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const followed = (): void => stop(signal?.reason);
  const stop = (reason?: unknown): void => {
    signal?.removeEventListener("abort", followed);
    Atomics.store(flag, 0, 1);
    controller.abort(reason);
  };
  if (signal?.aborted) stop(signal.reason);
  else signal?.addEventListener("abort", followed);
  return { signal: controller.signal, flag, stop };
}
