import type { Answer, Call, Method, Methods, Tell } from "./protocol.ts";

/** A worker's methods as the page calls them: the last argument may be a function for events. */
export type Remote<M extends Methods> = { readonly [Name in keyof M]: RemoteMethod<M[Name]> };

type RemoteMethod<F extends Method> = (...args: Parameters<F>) => Promise<Awaited<ReturnType<F>>>;

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
  tell: Tell<unknown> | undefined;
}

export interface Connection<M extends Methods> {
  readonly call: Remote<M>;
  close(): void;
}

/** Calls a worker that `serve`s. Errors keep their name and message. */
export function connect<M extends Methods>(worker: Worker): Connection<M> {
  const waiting = new Map<number, Waiting>();
  let last = 0;

  worker.onmessage = ({ data }: MessageEvent<Answer>) => {
    const call = waiting.get(data.id);
    if (!call) return;
    if ("event" in data) {
      call.tell?.(data.event);
      return;
    }
    waiting.delete(data.id);
    if ("result" in data) call.resolve(data.result);
    else call.reject(Object.assign(new Error(data.error.message), { name: data.error.name }));
  };
  const failAll = (message: string) => {
    for (const { reject } of waiting.values()) reject(new Error(message));
    waiting.clear();
  };
  worker.onerror = ({ message }) => failAll(message || "worker: it does not start");

  const call = new Proxy({} as Remote<M>, {
    get:
      (_, method: string) =>
      (...given: unknown[]) =>
        new Promise((resolve, reject) => {
          const tell = given.at(-1);
          const told = typeof tell === "function";
          const args = told ? given.slice(0, -1) : given;
          const id = ++last;
          waiting.set(id, { resolve, reject, tell: told ? (tell as Tell<unknown>) : undefined });
          worker.postMessage({ id, method, args } satisfies Call);
        }),
  });
  return {
    call,
    close: () => {
      worker.terminate();
      failAll("worker: it was closed");
    },
  };
}
