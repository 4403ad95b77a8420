import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CheckpointError } from "../../checkpoint-error.ts";
import { withFileLock } from "./file-lock.ts";
import { PassingError, reasonOf, request } from "./request.ts";

export interface DownloadProgress {
  /** Bytes that are here, those of an earlier attempt included. */
  readonly done: number;
  /** Bytes in all, where the server tells. */
  readonly total: number | undefined;
}

export interface DownloadOptions {
  /** What the file must hash to. Without it the server's word is taken, where it gives one. */
  readonly sha256?: string | undefined;
  /** Fetches nothing: the file must be there already. */
  readonly offline?: boolean;
  /** Stops; what has come stays, and the next download goes on from there. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Attempts without a byte before it gives up (5). */
  readonly attempts?: number;
  /** Milliseconds before the second attempt; doubled for each that follows (500). */
  readonly pause?: number;
  /** Milliseconds without a byte after which a connection counts as lost (60,000). */
  readonly patience?: number;
}

/** A file that is here now. */
export interface Downloaded {
  readonly path: string;
  /** Of what was fetched just now. */
  readonly sha256: string | undefined;
  /** Whether it was here already. */
  readonly cached: boolean;
}

/**
 * Fetches a file to `path`, unless it is there. A connection that breaks, or a program that is
 * stopped, costs what was under way: the rest is asked for by its range, as long as the file on
 * the server is the same. `path` appears when all has come and its checksum is right.
 */
export async function download(
  url: string,
  path: string,
  options: DownloadOptions = {},
): Promise<Downloaded> {
  const here = { path, sha256: undefined, cached: true };
  if (existsSync(path)) return here;
  if (options.offline) {
    throw new CheckpointError(
      `${path}: expected the file of ${url} there, as nothing is fetched offline, got none`,
    );
  }
  const signal = options.signal ?? new AbortController().signal;
  try {
    await mkdir(dirname(path), { recursive: true });
    return await withFileLock(path, signal, async () => {
      if (existsSync(path)) return here;
      const told = await fetchWhole(url, path, { ...options, signal });
      const sha256 = await finish(url, path, options.sha256?.toLowerCase() ?? told);
      return { path, sha256, cached: false };
    });
  } catch (cause) {
    if (!(cause instanceof Error) || !("syscall" in cause)) throw cause;
    throw new CheckpointError(`${path}: expected to keep the file there, got ${cause.message}`, {
      cause,
    });
  }
}

type Attempting = DownloadOptions & { readonly signal: AbortSignal };

/** What is known of a part that lies here: of which state of the file on the server it is. */
interface PartNote {
  readonly url: string;
  /** A strong entity tag or a date, by which the server knows the state again. */
  readonly version: string;
}

/** Fetches until all is there; tells the checksum that the server gives. */
async function fetchWhole(
  url: string,
  path: string,
  options: Attempting,
): Promise<string | undefined> {
  const { attempts = 5, pause = 500, signal } = options;
  let before = -1;
  for (let failed = 0; ; ) {
    try {
      return await fetchRest(url, path, options);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof PassingError)) throw error;
      const done = await sizeOf(`${path}.part`);
      failed = done > before ? 1 : failed + 1;
      before = done;
      if (failed >= attempts) {
        throw new CheckpointError(
          `${url}: expected the file, got ${error.message} in ${failed} attempts: ` +
            "try again later, which goes on where it ended, or take a mirror",
          { cause: error },
        );
      }
      await sleep(pause * 2 ** (failed - 1), undefined, { signal });
    }
  }
}

async function fetchRest(
  url: string,
  path: string,
  { signal, onProgress, patience = 60_000 }: Attempting,
): Promise<string | undefined> {
  const [part, note] = [`${path}.part`, `${path}.part.json`];
  const known = await noteOf(note, url);
  const have = known ? await sizeOf(part) : 0;
  const headers: Record<string, string> =
    have > 0 && known ? { range: `bytes=${have}-`, "if-range": known.version } : {};
  const lost = new AbortController();
  const watch = setTimeout(() => lost.abort(new PassingError("no answer")), patience);
  const either = AbortSignal.any([signal, lost.signal]);
  try {
    const { response, sha256 } = await request(url, headers, either);
    const place = placeOf(response, have);
    if (!place) {
      await response.body?.cancel();
      await rm(part, { force: true });
      throw new PassingError("another part of the file than was asked for");
    }
    const { start, total } = place;
    if (start === total && start > 0) return sha256; // all of it had come before
    const version = versionOf(response.headers);
    await rm(note, { force: true });
    if (version !== undefined) await writeFile(note, JSON.stringify({ url, version }));
    const file = await open(part, start > 0 ? "a" : "w");
    let done = start;
    try {
      onProgress?.({ done, total });
      for await (const chunk of chunksOf(response)) {
        watch.refresh();
        await file.writeFile(chunk);
        done += chunk.length;
        onProgress?.({ done, total });
      }
    } finally {
      await file.close();
    }
    if (total !== undefined && done !== total) {
      if (done > total) await rm(part, { force: true });
      throw new PassingError(`${done} of ${total} bytes`);
    }
    return sha256;
  } catch (error) {
    if (lost.signal.aborted && !signal.aborted) throw lost.signal.reason;
    throw error;
  } finally {
    clearTimeout(watch);
  }
}

/** Where the bytes of an answer belong: nothing if it is another part than was asked for. */
function placeOf(
  { status, headers }: Response,
  have: number,
): { readonly start: number; readonly total: number | undefined } | undefined {
  const range = headers.get("content-range") ?? "";
  if (status === 416) {
    const total = Number(/^bytes \*\/(\d+)$/.exec(range)?.[1]);
    return total === have ? { start: have, total } : undefined;
  }
  if (status === 206) {
    const [, start, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(range) ?? [];
    return Number(start) === have ? { start: have, total: Number(total) } : undefined;
  }
  const length = headers.get("content-length");
  const isPacked = headers.has("content-encoding");
  return { start: 0, total: length === null || isPacked ? undefined : Number(length) };
}

/** The body as it comes; what goes wrong on the way may go better next time. */
async function* chunksOf({ body }: Response): AsyncGenerator<Uint8Array, void, undefined> {
  if (body === null) return;
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw new PassingError(reasonOf(cause), { cause });
      });
      if (done) return;
      yield value as Uint8Array;
    }
  } finally {
    await reader.cancel().catch(() => undefined); // a connection that is lost already
  }
}

/** By what a server knows the state of a file again, for `If-Range`: weak tags will not do. */
function versionOf(headers: Headers): string | undefined {
  const tag = headers.get("etag");
  if (tag && !tag.startsWith("W/")) return tag;
  return headers.get("last-modified") ?? undefined;
}

async function noteOf(path: string, url: string): Promise<PartNote | undefined> {
  try {
    const note = JSON.parse(await readFile(path, "utf8")) as Partial<PartNote>;
    const fits = note.url === url && typeof note.version === "string";
    return fits ? (note as PartNote) : undefined;
  } catch {
    return undefined; // none, or half of one: begin anew
  }
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found?.size ?? 0;
}

/** Gives the part its name if it hashes to what is expected; takes it away otherwise. */
async function finish(url: string, path: string, expected: string | undefined): Promise<string> {
  const part = `${path}.part`;
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(part)) hash.update(chunk as Uint8Array);
  const sha256 = hash.digest("hex");
  await rm(`${path}.part.json`, { force: true });
  if (expected !== undefined && sha256 !== expected) {
    await rm(part);
    throw new CheckpointError(
      `${url}: expected a file of SHA-256 ${expected}, got ${sha256}: it was thrown away`,
    );
  }
  const file = await open(part, "r+");
  await file.sync();
  await file.close();
  await rename(part, path);
  return sha256;
}
