import { createRequire } from "node:module";
import { dirname, sep } from "node:path";

/** The folder of the installed .wasm files; nothing in a bundle, beside which they should lie. */
export function wasmFolder(): string | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm");
    return dirname(entry) + sep;
  } catch {
    return undefined;
  }
}

const events = ["uncaughtException", "unhandledRejection"] as const;

/**
 * The module, once initialised, listens for errors that nobody catches, only to throw them
 * again: what was wrong would be printed as if it had happened there.
 */
export async function initialiseQuietly(run: () => Promise<void>): Promise<void> {
  const before = events.map((event) => new Set<unknown>(process.listeners(event as never)));
  try {
    await run();
  } finally {
    events.forEach((event, i) => {
      for (const listener of process.listeners(event as never)) {
        if (!before[i]?.has(listener)) process.removeListener(event, listener);
      }
    });
  }
}
