/** Lets what waits on this thread go on: messages, timers, a page's events. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    // A message, since browsers hold timers back by four milliseconds each.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
