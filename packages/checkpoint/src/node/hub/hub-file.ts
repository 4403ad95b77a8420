import { join } from "node:path";
import { type Downloaded, type DownloadOptions, download } from "./download.ts";
import { type HubAddress, type HubPlaces, hubAddress } from "./hub-address.ts";
import { RefusedError } from "./request.ts";

export interface HubFileOptions extends Omit<DownloadOptions, "sha256">, HubPlaces {
  /** The folder that keeps what was fetched. */
  readonly cache: string;
}

/** Weights that are here now. */
export interface HubFile extends Downloaded {
  /** Where they came from. */
  readonly url: string;
}

/**
 * The file of published weights, fetched into `cache` unless it is there: by name (`dino_vits16`),
 * as `hf://owner/repository@revision`, or by address; `#sha256=…` behind it checks what comes.
 * Nothing if `weights` is none of these, which is then a path.
 */
export async function hubFile(
  weights: string,
  options: HubFileOptions,
): Promise<HubFile | undefined> {
  const address = hubAddress(weights, options);
  if (!address) return undefined;
  for (const url of address.beside) await optional(url, options);
  return firstOf(address, options);
}

async function firstOf({ urls, sha256 }: HubAddress, options: HubFileOptions): Promise<HubFile> {
  for (const [i, url] of urls.entries()) {
    const last = i === urls.length - 1;
    try {
      return { ...(await download(url, cached(url, options.cache), { ...options, sha256 })), url };
    } catch (error) {
      const isAbsent = error instanceof RefusedError && error.status === 404;
      if (last || !(isAbsent || options.offline)) throw error;
    }
  }
  throw new Error("hub: expected an address to fetch from, got none");
}

/** A small file that may be there. */
async function optional(url: string, options: HubFileOptions): Promise<void> {
  try {
    const { onProgress: _, ...quietly } = options;
    await download(url, cached(url, options.cache), quietly);
  } catch (error) {
    if (!(error instanceof RefusedError && error.status === 404) && !options.offline) throw error;
  }
}

/** Where a file of this address is kept: its host, then its path, in names that every system takes. */
function cached(url: string, cache: string): string {
  const { host, pathname, search } = new URL(url);
  const segments = `${host}${pathname}`.split("/").filter((segment) => segment !== "");
  const last = `${segments.pop()}${search}`;
  const names = [...segments, last].map((segment) => segment.replace(/[^\w.-]/g, "_"));
  return join(cache, ...names.map((name) => name.replace(/^\.+$/, "_")));
}
