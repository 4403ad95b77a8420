import type { Answer, Call, Methods } from "./protocol.ts";

/** The part of a worker's own scope that is used here. */
interface Scope {
  onmessage: ((message: MessageEvent<Call>) => void) | null;
  postMessage(answer: Answer, transfer: Transferable[]): void;
}

/**
 * Answers the page's calls. A method gets the call's arguments and, last of all, a function that
 * sends the page an event.
 */
export function serve(methods: Methods): void {
  const scope = globalThis as unknown as Scope;
  scope.onmessage = async ({ data: { id, method, args } }) => {
    try {
      const call = methods[method];
      if (!call) throw new Error(`worker: expected a method that it has, got ${method}`);
      const tell = (event: unknown) => scope.postMessage({ id, event }, []);
      const result = await call(...args, tell);
      scope.postMessage({ id, result }, buffersOf(result));
    } catch (error) {
      const { name = "Error", message = String(error) } = (error ?? {}) as Partial<Error>;
      scope.postMessage({ id, error: { name, message } }, []);
    }
  };
}

/** What is marked by `handedOver` goes to the page without being copied. */
const handed = new WeakMap<object, Transferable[]>();

/** Gives these buffers away with a result: the worker cannot use them afterwards. */
export function handingOver<T extends object>(result: T, buffers: Transferable[]): T {
  handed.set(result, buffers);
  return result;
}

function buffersOf(result: unknown): Transferable[] {
  return (typeof result === "object" && result !== null && handed.get(result)) || [];
}
