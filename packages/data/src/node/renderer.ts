import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { type RenderJob, render } from "./render.ts";

/** Makes crops, in worker threads or on this one. The bytes are the same. */
export interface Renderer {
  /** Resolves when the job's targets are written, or the job was stopped. */
  render(job: RenderJob): Promise<void>;
  close(): Promise<void>;
}

/** What a worker is sent. */
export interface Request {
  readonly id: number;
  readonly job: RenderJob;
}

/** What a worker sends when a job is done. */
export interface Answer {
  readonly id: number;
  readonly error?: unknown;
}

/** A thread for each processor but the one that trains. */
export const defaultWorkers: number = Math.max(1, Math.min(16, availableParallelism() - 1));

/** A renderer on `workers` threads; with 0, on this one between other things. */
export function createRenderer(workers: number): Renderer {
  if (!Number.isInteger(workers) || workers < 0) {
    throw new RangeError(`workers: expected an integer of at least 0, got ${workers}`);
  }
  return workers === 0 ? localRenderer() : threadedRenderer(workers);
}

function localRenderer(): Renderer {
  return {
    render: async (job) => {
      await turn(); // lets reads and the consumer go on between two pictures
      render(job);
    },
    close: async () => {},
  };
}

function threadedRenderer(count: number): Renderer {
  let threads: readonly Thread[] = [];
  let closed = false;
  return {
    render: async (job) => {
      if (closed) throw new Error("renderer: is closed");
      if (threads.length === 0) threads = Array.from({ length: count }, createThread);
      // A job is sent off at once, not when a thread is free, so that threads have work while a
      // training step keeps this one from answering.
      const idlest = threads.reduce((a, b) => (b.pending() < a.pending() ? b : a));
      return idlest.render(job);
    },
    close: async () => {
      closed = true;
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

interface Thread {
  pending(): number;
  render(job: RenderJob): Promise<void>;
  close(): Promise<void>;
}

function createThread(): Thread {
  // The parent's flags may choose other sources than the built ones, which alone run here.
  const worker = new Worker(workerScript(), { execArgv: [] });
  const waiting = new Map<number, { resolve(): void; reject(error: unknown): void }>();
  let failure: unknown;
  let closing = false;
  let id = 0;

  const fail = (error: unknown): void => {
    failure ??= error;
    for (const { reject } of waiting.values()) reject(failure);
    waiting.clear();
  };
  worker.unref(); // an idle thread does not keep the program alive
  worker.on("error", fail);
  worker.on("exit", () => fail(new Error("a thread that makes crops has ended")));
  worker.on("message", ({ id, error }: Answer) => {
    const job = waiting.get(id);
    waiting.delete(id);
    // A thread that is being closed stays counted, or the program might end before it is.
    if (waiting.size === 0 && !closing) worker.unref();
    if (error === undefined) job?.resolve();
    else job?.reject(error);
  });

  return {
    pending: () => waiting.size,
    render: (job) =>
      new Promise<void>((resolve, reject) => {
        if (failure !== undefined) {
          reject(failure);
          return;
        }
        waiting.set(id, { resolve, reject });
        worker.ref();
        const request: Request = { id: id++, job };
        worker.postMessage(request);
      }),
    close: async () => {
      closing = true;
      await worker.terminate();
    },
  };
}

/** The worker's program. Node 20 cannot run its source, so a run from source needs the build too. */
function workerScript(): URL {
  const built = import.meta.url.endsWith(".ts")
    ? new URL("../../dist/node/render-worker.js", import.meta.url)
    : new URL("./render-worker.js", import.meta.url);
  if (existsSync(built)) return built;
  throw new Error(
    `workers: ${fileURLToPath(built)} is missing; build the workspace, or ask for 0 workers`,
  );
}
