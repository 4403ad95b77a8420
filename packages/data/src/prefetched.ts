export interface PrefetchOptions {
  readonly from: number;
  /** Where to stop: `to` itself is not prepared. */
  readonly to: number;
  /** How many results may be under way or waiting while the consumer works on one. */
  readonly ahead: number;
  readonly signal: AbortSignal;
  /** Lets other things of this thread go on: those that are waiting, and come back. */
  readonly turn: () => Promise<unknown>;
  /** Called with the seconds that the consumer has waited for a result. */
  readonly onWait?: (seconds: number) => void;
}

/** The results of `prepare` in order, each begun before it is asked for. */
export async function* prefetched<T>(
  { from, to, ahead, signal, turn, onWait }: PrefetchOptions,
  prepare: (position: number) => Promise<T>,
): AsyncGenerator<T> {
  const prepared: Promise<T>[] = [];
  let next = from;
  for (let position = from; position < to; position++) {
    const begun = performance.now();
    signal.throwIfAborted();
    while (next < to && prepared.length <= ahead) {
      const result = prepare(next++);
      result.catch(() => {}); // it is reported when its turn comes, which may never be
      prepared.push(result);
    }
    // A consumer that computes on this thread leaves no other moment for finished reads to be
    // passed on to the workers.
    await turn();
    const result = await untilAborted(prepared.shift() as Promise<T>, signal);
    onWait?.((performance.now() - begun) / 1000);
    yield result;
  }
}

/** `promise`, or a rejection with the signal's reason as soon as it is aborted. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
