/**
 * Lets what waits on this thread go on: messages, timers, signals. Not tied to frames, which
 * a page in the background never gets, nor to timers, which browsers hold back.
 */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") {
      setImmediate(resolve);
      return;
    }
    const { port1, port2 } = new MessageChannel() as unknown as Channel;
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/** Node's. */
declare const setImmediate: ((callback: () => void) => unknown) | undefined;

/** A page's channel, of which Node's types know less. */
interface Channel {
  readonly port1: { onmessage: (() => void) | null; close(): void };
  readonly port2: { postMessage(message: undefined): void };
}
