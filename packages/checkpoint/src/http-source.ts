import type { ByteSource } from "./byte-source.ts";
import { CheckpointError, quote } from "./checkpoint-error.ts";

export interface HttpSourceOptions {
  /** Sent with every request, such as `Authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the requests that are under way, and every later one. */
  readonly signal?: AbortSignal;
  /** The platform's own `fetch` unless said otherwise. */
  readonly fetch?: typeof fetch;
}

/** Bytes of a file on a server, and what the server says of the file. */
interface Range {
  readonly bytes: Uint8Array;
  readonly size: number;
  /** Stays as it is for as long as the file does, where the server sends such a thing. */
  readonly version: string;
}

/** Short reads come from blocks of as many bytes, of which the last few are kept. */
const blockSize = 2 ** 17;
const keptBlocks = 16;

/**
 * The bytes of a file on a server that answers requests for ranges, so that opening a checkpoint
 * fetches what describes it, and reading a tensor its elements. A server that would send the whole
 * file instead is refused before it does; a file that has changed in between is an error.
 */
export async function httpSource(
  url: string,
  options: HttpSourceOptions = {},
): Promise<ByteSource> {
  const name = withoutSecrets(url);
  const first = await getRange(url, 0, blockSize, options);
  const { size, version } = first;
  const blocks = new Map([[0, Promise.resolve(first.bytes)]]);

  async function get(offset: number, length: number): Promise<Uint8Array> {
    const range = await getRange(url, offset, length, options);
    if (range.size === size && range.version === version) return range.bytes;
    throw new CheckpointError(
      `${name}: expected the file that was opened, got another in its place: open it anew`,
    );
  }

  function block(index: number): Promise<Uint8Array> {
    const known = blocks.get(index);
    if (known) return known;
    const start = index * blockSize;
    const bytes = get(start, Math.min(blockSize, size - start));
    blocks.set(index, bytes);
    bytes.catch(() => blocks.delete(index)); // a request that failed may be made again
    const [oldest] = blocks.keys();
    if (blocks.size > keptBlocks && oldest !== undefined) blocks.delete(oldest);
    return bytes;
  }

  return {
    name,
    size,
    async read(offset, length) {
      const there = Math.max(0, Math.min(length, size - offset));
      if (there > blockSize) return get(offset, there);
      const result = new Uint8Array(there);
      for (let done = 0; done < there; ) {
        const start = (offset + done) % blockSize;
        const bytes = await block((offset + done - start) / blockSize);
        const part = bytes.subarray(start, start + there - done);
        result.set(part, done);
        done += part.length;
      }
      return result;
    },
  };
}

/** As many of these bytes as the file has. */
async function getRange(
  url: string,
  offset: number,
  length: number,
  { headers = {}, signal, fetch: request = fetch }: HttpSourceOptions,
): Promise<Range> {
  const name = withoutSecrets(url);
  const asked = `bytes=${offset}-${offset + length - 1}`;
  let response: Response;
  try {
    response = await request(url, {
      // Ranges are of the file itself, not of what a compression made of it.
      headers: { ...headers, Range: asked, "Accept-Encoding": "identity" },
      signal: signal ?? null,
    });
  } catch (cause) {
    throw failure(name, asked, cause, signal);
  }
  const [start, end, size] = placeOf(response);
  if (response.status !== 206 || start !== offset || end !== Math.min(offset + length, size)) {
    await response.body?.cancel();
    throw new CheckpointError(`${name}: expected ${asked}, got ${answer(response)}`);
  }
  try {
    const bytes = await readBody(response, end - start);
    if (bytes.length === end - start) return { bytes, size, version: versionOf(response) };
    throw new Error(`${bytes.length} of ${end - start} bytes`);
  } catch (cause) {
    throw failure(name, asked, cause, signal);
  }
}

/** Start, end and size of the file, from a header such as "bytes 0-99/1234". */
function placeOf({ headers }: Response): readonly [number, number, number] {
  const [, start, last, size] =
    /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers.get("content-range") ?? "") ?? [];
  return [Number(start), Number(last) + 1, Number(size)];
}

/** A body of so many bytes; what a server sends beyond them is not taken in. */
async function readBody(response: Response, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const reader = response.body?.getReader();
  let done = 0;
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    if (done + part.value.length > length) {
      await reader?.cancel();
      throw new Error(`more than ${length} bytes`);
    }
    bytes.set(part.value, done);
    done += part.value.length;
  }
  return bytes.subarray(0, done);
}

function versionOf({ headers }: Response): string {
  return headers.get("etag") ?? headers.get("last-modified") ?? "";
}

function answer(response: Response): string {
  const { status, statusText, headers } = response;
  if (status === 200) return "the whole file: the server knows no ranges, so download it first";
  const place = headers.get("content-range");
  if (status === 206 && place !== null) return `content-range ${quote(place)}`;
  // Of another origin's answer a page sees only the headers that it is allowed to.
  if (status === 206) {
    return "no Content-Range: for a page, the server must name it in Access-Control-Expose-Headers";
  }
  return `status ${status} ${statusText}`.trimEnd();
}

/** An abort is passed on as it is; everything else is a fault of the checkpoint's source. */
function failure(name: string, asked: string, cause: unknown, signal?: AbortSignal): unknown {
  if (signal?.aborted) return signal.reason;
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const reason = inner instanceof Error ? inner.message : String(inner);
  return new CheckpointError(`${name}: expected ${asked}, got ${reason}`, { cause });
}

/** An address as it may stand in a message: without user, password and query, which may hold keys. */
function withoutSecrets(url: string): string {
  return url.replace(/[?#].*$/s, "").replace(/\/\/[^/@]*@/, "//");
}
