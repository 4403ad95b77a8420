import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { type BatchPicture, createRender, type RenderJob, type Sampling } from "../render.ts";

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

/**
 * A renderer on `workers` threads; with 0, on this one between other things. With `sampling`, jobs
 * need not bring the views of their pictures.
 */
export function createRenderer(workers: number, sampling?: Sampling): Renderer {
  if (!Number.isInteger(workers) || workers < 0) {
    throw new RangeError(`workers: expected an integer of at least 0, got ${workers}`);
  }
  return workers === 0 ? localRenderer(sampling) : threadedRenderer(workers, sampling);
}

function localRenderer(sampling?: Sampling): Renderer {
  const render = createRender(sampling);
  return {
    render: async (job) => {
      await turn(); // lets reads and the consumer go on between two pictures
      for (const _ of render(job)) await turn();
    },
    close: async () => {},
  };
}

function threadedRenderer(count: number, sampling?: Sampling): Renderer {
  let threads: readonly Thread[] = [];
  const start = (): void => {
    threads = Array.from({ length: count }, () => createThread(sampling));
  };
  let closed = false;
  return {
    render: async (job) => {
      if (closed) throw new Error("renderer: is closed");
      if (threads.length === 0) start();
      // Jobs are sent off at once, not when a thread is free, so that threads have work while a
      // training step keeps this one from answering.
      await Promise.all(
        shared(job, threads.length).map((part) => {
          const idlest = threads.reduce((a, b) => (b.pending() < a.pending() ? b : a));
          return idlest.render(part);
        }),
      );
    },
    close: async () => {
      closed = true;
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

/** The job in parts of about the same size, at most `count`. */
function shared(job: RenderJob, count: number): readonly RenderJob[] {
  if (!("pictures" in job)) return [job];
  const { pictures } = job;
  const each = Math.ceil(pictures.length / count);
  return Array.from({ length: Math.ceil(pictures.length / each) }, (_, part) => ({
    ...job,
    pictures: pictures.slice(part * each, (part + 1) * each),
  }));
}

interface Thread {
  /** Pictures that it has still to do. */
  pending(): number;
  render(job: RenderJob): Promise<void>;
  close(): Promise<void>;
}

interface WaitingJob {
  readonly pictures: number;
  resolve(): void;
  reject(error: unknown): void;
}

function createThread(sampling?: Sampling): Thread {
  // The parent's flags may choose other sources than the built ones, which alone run here.
  const worker = new Worker(workerScript(), { execArgv: [], workerData: sampling });
  const waiting = new Map<number, WaitingJob>();
  const kept = new Set<number>();
  let pending = 0;
  let failure: unknown;
  let closing = false;
  let id = 0;

  const fail = (error: unknown): void => {
    failure ??= error;
    for (const { reject } of waiting.values()) reject(failure);
    waiting.clear();
  };
  /** The job without the pictures that the thread keeps: to show it one costs more than a crop. */
  const without = (job: RenderJob): RenderJob => {
    if (!("pictures" in job)) return job;
    const pictures = job.pictures.map((each): BatchPicture => {
      if (!each.keep) return each;
      if (!kept.has(each.index)) {
        kept.add(each.index);
        return each;
      }
      const { picture: _, ...rest } = each;
      return rest;
    });
    return { ...job, pictures };
  };

  worker.unref(); // an idle thread does not keep the program alive
  worker.on("error", fail);
  worker.on("exit", () => fail(new Error("a thread that makes crops has ended")));
  worker.on("message", ({ id, error }: Answer) => {
    const job = waiting.get(id);
    waiting.delete(id);
    pending -= job?.pictures ?? 0;
    // A thread that is being closed stays counted, or the program might end before it is.
    if (waiting.size === 0 && !closing) worker.unref();
    if (error === undefined) job?.resolve();
    else job?.reject(error);
  });

  return {
    pending: () => pending,
    render: (job) =>
      new Promise<void>((resolve, reject) => {
        if (failure !== undefined) {
          reject(failure);
          return;
        }
        const pictures = "pictures" in job ? job.pictures.length : 1;
        pending += pictures;
        waiting.set(id, { pictures, resolve, reject });
        worker.ref();
        const request: Request = { id: id++, job: without(job) };
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
