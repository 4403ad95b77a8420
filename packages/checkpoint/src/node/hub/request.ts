import { CheckpointError } from "../../checkpoint-error.ts";

/** A server said that a file cannot be had. */
export class RefusedError extends CheckpointError {
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** Something that may go better next time: no connection, a busy server. */
export class PassingError extends Error {}

export interface Answer {
  readonly response: Response;
  /** The SHA-256 that headers tell, in lower-case hexadecimal digits. */
  readonly sha256: string | undefined;
}

const mostRedirects = 10;

/**
 * Asks a server for a file and follows its redirects, keeping what the first servers say of it:
 * Hugging Face tells the checksum and then sends elsewhere.
 */
export async function request(
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Answer> {
  let sha256: string | undefined;
  let at = url;
  for (let hop = 0; hop <= mostRedirects; hop++) {
    const response = await ask(at, headers, signal);
    sha256 ??= checksumIn(response.headers);
    const location = response.headers.get("location");
    if (response.status < 300 || response.status > 399 || location === null) {
      if (response.ok || response.status === 416) return { response, sha256 };
      await response.body?.cancel();
      throw failure(url, response);
    }
    await response.body?.cancel();
    const next = new URL(location, at);
    if (
      !/^https?:$/.test(next.protocol) ||
      (at.startsWith("https:") && next.protocol === "http:")
    ) {
      throw new CheckpointError(`${url}: expected a redirect to https, got ${next.origin}`);
    }
    at = next.href;
  }
  throw new CheckpointError(`${url}: expected at most ${mostRedirects} redirects, got more`);
}

async function ask(
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Response> {
  try {
    // A file that comes packed would have another length, and parts of it no meaning.
    const plain = { "accept-encoding": "identity", ...headers };
    return await fetch(url, { headers: plain, signal, redirect: "manual" });
  } catch (cause) {
    throw new PassingError(reasonOf(cause), { cause });
  }
}

/** Why a request failed, in a few words: `fetch` hides it in the cause. */
export function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  if (cause instanceof Error) return (cause as NodeJS.ErrnoException).code ?? cause.message;
  return message;
}

function failure(url: string, { status, statusText }: Response): Error {
  const words = `${status} ${statusText}`.trim();
  if (status === 408 || status === 429 || status >= 500) return new PassingError(words);
  return new RefusedError(`${url}: expected the file, got ${words}`, status);
}

/** What Hugging Face says of a large file, or any server in RFC 9530's field or the one before it. */
function checksumIn(headers: Headers): string | undefined {
  const linked = headers.get("x-linked-etag")?.replaceAll('"', "") ?? "";
  if (/^[0-9a-f]{64}$/i.test(linked)) return linked.toLowerCase();
  const digest = headers.get("repr-digest") ?? headers.get("digest") ?? "";
  const [, base64] = /(?:^|[,\s])sha-256=:?([A-Za-z0-9+/]{43}=):?/i.exec(digest) ?? [];
  return base64 === undefined ? undefined : Buffer.from(base64, "base64").toString("hex");
}
