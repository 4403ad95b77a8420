/** What the tests' worker is asked. */
export type Question =
  | { readonly decode: Blob }
  | { readonly engine: string; readonly threads?: number }
  /** Steps of a network of the smallest kind, on so many threads. */
  | { readonly steps: number; readonly threads: number }
  /** A folder and a file of the origin-private file system, which is begun and never ended. */
  | { readonly writeForever: readonly [folder: string, name: string] };

type Answer = { readonly answer: unknown } | { readonly error: string };

/** The tests' worker, which has one answer for each question, and which the caller terminates. */
export function startWorker() {
  const worker = new Worker(new URL("./test-worker.ts", import.meta.url), { type: "module" });
  return {
    terminate: () => worker.terminate(),
    ask: <Result>(question: Question): Promise<Result> =>
      new Promise((resolve, reject) => {
        worker.onmessage = ({ data }: MessageEvent<Answer>) =>
          "error" in data ? reject(new Error(data.error)) : resolve(data.answer as Result);
        worker.onerror = ({ message }) => reject(new Error(message));
        worker.postMessage(question);
      }),
  };
}

/** Asks a worker that lives no longer than this. */
export async function askWorker<Result>(question: Question): Promise<Result> {
  const worker = startWorker();
  try {
    return await worker.ask<Result>(question);
  } finally {
    worker.terminate();
  }
}
