/** What is used of WebAssembly, which the language's own types do not describe. */
interface Compiler {
  instantiate(module: unknown, imports?: unknown): Promise<unknown>;
  instantiateStreaming?(response: unknown, imports?: unknown): Promise<unknown>;
}
interface Response {
  clone(): Response;
  arrayBuffer(): Promise<ArrayBuffer>;
}
declare const WebAssembly: Compiler;

/**
 * Runs what initialises tfjs's backend `wasm` (`tf.setBackend("wasm")`) so that its memory is one
 * that threads share, as `installKernels` needs it for more than one. tfjs makes it such in a build
 * of its own alone, which has threads of its own, none of them in Node.
 */
export async function withSharedMemory<Result>(run: () => Promise<Result>): Promise<Result> {
  const { instantiate, instantiateStreaming } = WebAssembly;
  // tfjs offers no other way to give it a module.
  WebAssembly.instantiate = async (source, imports) => {
    const shared = isBytes(source) ? sharing(source) : undefined;
    if (shared !== undefined) {
      try {
        return await instantiate.call(WebAssembly, shared, imports);
      } catch {
        // No room to reserve for all that such a memory may grow to: without threads, then.
      }
    }
    return await instantiate.call(WebAssembly, source, imports);
  };
  if (instantiateStreaming !== undefined) {
    WebAssembly.instantiateStreaming = async (response, imports) =>
      WebAssembly.instantiate(await ((await response) as Response).clone().arrayBuffer(), imports);
  }
  try {
    return await run();
  } finally {
    WebAssembly.instantiate = instantiate;
    if (instantiateStreaming !== undefined) {
      WebAssembly.instantiateStreaming = instantiateStreaming;
    }
  }
}

function isBytes(source: unknown): source is ArrayBuffer | ArrayBufferView<ArrayBuffer> {
  return source instanceof ArrayBuffer || ArrayBuffer.isView(source);
}

/**
 * A module that has a memory of its own, which may grow to a limit, with one that is shared;
 * nothing if it has none. All that differs is a bit.
 */
export function sharing(
  source: ArrayBuffer | ArrayBufferView<ArrayBuffer>,
): Uint8Array | undefined {
  const bytes = ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
  const [memories, hasMaximum, isShared] = [5, 1, 2];
  let at = 8; // behind the magic number and the version
  while (at < bytes.length) {
    const section = bytes[at++];
    let [size, shift, byte] = [0, 0, 0];
    do {
      byte = bytes[at++] as number;
      size |= (byte & 127) << shift;
      shift += 7;
    } while (byte & 128);
    if (section === memories && bytes[at] === 1 && bytes[at + 1] === hasMaximum) {
      const changed = bytes.slice();
      changed[at + 1] = hasMaximum | isShared;
      return changed;
    }
    at += size;
  }
  return undefined;
}
