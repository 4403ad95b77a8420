import { controlBytes, createThread, type Job } from "./create-thread.ts";
import { startWorker, type Worker } from "./start-worker.ts";

export interface PoolOptions {
  /** How many threads there are, this one included. */
  readonly threads: number;
  /** The compiled kernels, and the memory that they share. */
  readonly module: unknown;
  readonly memory: unknown;
  /** This thread's kernels, by name. */
  readonly functions: Readonly<Record<string, (...args: number[]) => unknown>>;
}

/** Threads that do jobs with this one. */
export interface Pool {
  readonly threads: number;
  /** Does a job's parts in turn, here. The sum of what they give. */
  alone(job: Job): number;
  /** Does a job's parts on all threads. The sum of what they give, in the same order. */
  together(job: Job): number;
  close(): void;
}

/** Seconds that threads are given to start. */
const patience = 20;

/** Starts threads, or with 1 none. Throws where one does not start. */
export async function createPool({
  threads,
  module,
  memory,
  functions,
}: PoolOptions): Promise<Pool> {
  const control = threads > 1 ? new SharedArrayBuffer(controlBytes) : new ArrayBuffer(controlBytes);
  const names = Object.keys(functions);
  const shared = { control: control as SharedArrayBuffer };
  const own = createThread({ ...shared, functions: Object.values(functions), index: 0 });
  const workers: Worker[] = [];
  const close = (): void => {
    for (const worker of workers.splice(0)) worker.close();
  };
  const start = (index: number) =>
    new Promise<void>((resolve, reject) => {
      const onError = (message: string) => reject(new Error(message));
      workers.push(
        startWorker({ ...shared, module, memory, names, index }, { onReady: resolve, onError }),
      );
    });
  const late = lateness();
  try {
    const all = Array.from({ length: threads - 1 }, (_, i) => start(i + 1));
    await Promise.race([Promise.all(all), late.error]);
  } catch (error) {
    close();
    throw error;
  } finally {
    late.cancel();
  }
  return { threads, alone: own.alone, together: own.together, close };
}

declare function setTimeout(call: () => void, milliseconds: number): unknown;
declare function clearTimeout(timer: unknown): void;

function lateness(): { readonly error: Promise<never>; cancel(): void } {
  let timer: unknown;
  const error = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${patience} s`)), 1000 * patience);
  });
  return { error, cancel: () => clearTimeout(timer) };
}
