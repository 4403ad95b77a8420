import { createThread, type ThreadOptions } from "./create-thread.ts";

/** What a worker is sent: what kernels are made of, and whom it helps. */
export interface WorkerData extends Omit<ThreadOptions, "functions"> {
  readonly module: unknown;
  readonly memory: unknown;
  /** The kernels that jobs name by their place. */
  readonly names: readonly string[];
}

/** A worker that helps. */
export interface Worker {
  /** Ends it, whatever it does. */
  close(): void;
}

/** What a worker is heard of while it starts, once. */
export interface Listener {
  onReady(): void;
  onError(message: string): void;
}

interface NodeWorker {
  on(event: "message", listen: () => void): void;
  on(event: "error", listen: (error: Error) => void): void;
  unref(): void;
  terminate(): Promise<number>;
}
interface NodeThreads {
  readonly Worker: new (
    text: string,
    options: { eval: true; workerData: WorkerData; execArgv: readonly string[] },
  ) => NodeWorker;
}
interface PageWorker {
  onmessage: () => void;
  onerror: (event: { readonly message?: string; preventDefault?(): void }) => void;
  postMessage(data: WorkerData): void;
  terminate(): void;
}
/** What hosts have, of which the language's own types know nothing. */
interface Host {
  readonly process?: { getBuiltinModule?(name: string): NodeThreads };
  readonly Worker?: new (url: string, options: { name: string }) => PageWorker;
  readonly Blob?: new (parts: readonly string[], options: { type: string }) => object;
  readonly URL?: { createObjectURL(blob: object): string; revokeObjectURL(url: string): void };
}
const host = globalThis as unknown as Host;

/** Whether this is Node. */
export const isNode: boolean = host.process?.getBuiltinModule !== undefined;

/** Starts a worker whose script is text, so that there is no file to find or to host. */
export function startWorker(data: WorkerData, listener: Listener): Worker {
  return isNode ? startInNode(data, listener) : startInPage(data, listener);
}

function startInNode(data: WorkerData, { onReady, onError }: Listener): Worker {
  const nodeThreads = host.process?.getBuiltinModule?.("worker_threads");
  const { Worker } = nodeThreads as NodeThreads;
  const text = `const { parentPort, workerData } = require("worker_threads");
    (${begin})(workerData, ${createThread}, () => parentPort.postMessage("ready"));`;
  // The parent's flags may be none that a worker understands.
  const worker = new Worker(text, { eval: true, workerData: data, execArgv: [] });
  worker.on("message", () => {
    worker.unref(); // an idle thread does not keep the program alive
    onReady();
  });
  worker.on("error", ({ message }) => onError(message));
  return { close: () => void worker.terminate() };
}

function startInPage(data: WorkerData, { onReady, onError }: Listener): Worker {
  const { Worker, Blob, URL } = host;
  if (Worker === undefined || Blob === undefined || URL === undefined) {
    throw new Error("no workers");
  }
  const text = `onmessage = ({ data }) =>
    (${begin})(data, ${createThread}, () => postMessage("ready"));`;
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const worker = new Worker(url, { name: `kernels ${data.index}` });
  worker.onmessage = () => {
    URL.revokeObjectURL(url);
    onReady();
  };
  worker.onerror = (event) => {
    event.preventDefault?.();
    URL.revokeObjectURL(url);
    onError(event.message || "its script was refused");
  };
  worker.postMessage(data);
  return { close: () => worker.terminate() };
}

/** What a worker does, as text too. */
function begin(
  { module, memory, names, control, index }: WorkerData,
  create: typeof createThread,
  tellReady: () => void,
): void {
  const { WebAssembly } = globalThis as unknown as {
    WebAssembly: {
      Instance: new (module: unknown, imports: object) => { exports: Record<string, never> };
    };
  };
  const { exports } = new WebAssembly.Instance(module, { env: { memory, log: Math.log } });
  const functions = names.map((name) => exports[name] as never);
  const thread = create({ control, functions, index });
  tellReady();
  thread.follow();
}
