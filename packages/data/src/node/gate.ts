import { availableParallelism, totalmem } from "node:os";

/** Decoded pictures that may be under way at once, in bytes. */
const bytesUnderWay = Math.min(2 ** 29, totalmem() / 8);

/** Lets tasks begin in the order in which they came, only so many under way at once. */
export interface Gate {
  run<T>(task: () => Promise<T>): Promise<T>;
}

/**
 * A gate for pictures from reading to their crops: as many as fit the memory set aside for them, by
 * `meanBytes` of a picture, but enough for every processor.
 */
export function createGate(meanBytes: () => number): Gate {
  const least = 2 * availableParallelism();
  const waiting: (() => void)[] = [];
  let running = 0;

  const open = (): void => {
    const mean = meanBytes();
    const most = mean === 0 ? least : Math.max(least, Math.floor(bytesUnderWay / mean));
    while (running < most && waiting.length > 0) {
      running++;
      waiting.shift()?.();
    }
  };

  return {
    run: async (task) => {
      await new Promise<void>((begin) => {
        waiting.push(begin);
        open();
      });
      try {
        return await task();
      } finally {
        running--;
        open();
      }
    },
  };
}
