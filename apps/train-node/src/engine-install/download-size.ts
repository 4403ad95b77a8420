/** What there is to download, and how much of that is known. */
export interface DownloadSize {
  readonly bytes: number;
  /** Files that their server does not tell the size of. */
  readonly unknown: number;
}

/** The sizes of files, asked of their server, not more than a few at a time. */
export async function downloadSize(
  urls: readonly string[],
  signal?: AbortSignal,
  ask: (url: string, signal?: AbortSignal) => Promise<number | undefined> = contentLength,
): Promise<DownloadSize> {
  const waiting = [...urls];
  let [bytes, unknown] = [0, 0];
  const worker = async () => {
    for (let url = waiting.shift(); url !== undefined; url = waiting.shift()) {
      const size = await ask(url, signal);
      if (size === undefined) unknown++;
      else bytes += size;
    }
  };
  await Promise.all(Array.from({ length: 4 }, worker));
  signal?.throwIfAborted();
  return { bytes, unknown };
}

async function contentLength(url: string, signal?: AbortSignal): Promise<number | undefined> {
  try {
    const limit = AbortSignal.timeout(10_000);
    const within = signal ? AbortSignal.any([signal, limit]) : limit;
    const { ok, headers } = await fetch(url, { method: "HEAD", signal: within });
    const length = Number(headers.get("content-length"));
    return ok && length > 0 ? length : undefined;
  } catch {
    return undefined;
  }
}
