/** What tfjs-wasm's threads begin with: the module's factory, as text. */
const factory = "var WasmBackendModuleThreadedSimd = ";

interface BlobClass {
  new (parts?: readonly unknown[], options?: object): object;
}

/**
 * Runs what initialises tfjs-wasm, with sources for its threads that are whole. tfjs gives them the
 * text of a function, which asks whether a variable around it is defined before it reads it. In
 * that text it is not; but a minifier sees that it is, drops the question, and every thread ends
 * with an error. So the text gets the variable, by whatever name the minifier gave it.
 */
export async function withWholeThreads(run: () => Promise<void>): Promise<void> {
  const scope = globalThis as unknown as { Blob: BlobClass };
  const original = scope.Blob;
  scope.Blob = class extends original {
    constructor(parts: readonly unknown[] = [], options?: object) {
      super(parts.map(whole), options);
    }
  };
  try {
    await run();
  } finally {
    scope.Blob = original;
  }
}

/** The same text, with a variable that it takes from what was around it. */
export function whole(part: unknown): unknown {
  if (typeof part !== "string" || !part.startsWith(factory)) return part;
  const [, outer] = /mainScriptUrlOrBlob["']?\]?\s*\|\|\s*([\w$]+)/.exec(part) ?? [];
  return outer === undefined ? part : `var ${outer};${part}`;
}

/**
 * Whether tfjs-wasm's threads, once asked for, always start. In Firefox (seen in 153) about every
 * other start from a worker never ends, and with it the page's; ours need none of them.
 */
export function threadsStart(userAgent: string): boolean {
  return !/\bFirefox\//.test(userAgent);
}
