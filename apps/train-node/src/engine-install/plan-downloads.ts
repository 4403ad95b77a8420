import { downloadSize } from "./download-size.ts";
import type { Download } from "./wheels.ts";

/** One line of what is to be downloaded. */
export interface PlannedDownload {
  readonly name: string;
  readonly version: string;
  readonly from: "pip" | "npm";
  /** Bytes that are known of; 0 where the server does not tell. */
  readonly bytes: number;
  /** Packages that come along and are not counted: small ones. */
  readonly others: number;
}

/** What is to be downloaded from npm: the large files, and how many packages there are in all. */
export interface NpmPlan {
  readonly urls: readonly string[];
  readonly packages: number;
}

/** Asks the registries how large each download is: the wheels, and `name` with what it needs. */
export async function planDownloads(
  wheels: readonly Download[],
  { name, version, urls, packages }: NpmPlan & Pick<Download, "name" | "version">,
  signal: AbortSignal,
): Promise<readonly PlannedDownload[]> {
  const planned: PlannedDownload[] = [];
  for (const { name, version, url } of wheels) {
    const { bytes } = await downloadSize([url], signal);
    planned.push({ name, version, from: "pip", bytes, others: 0 });
  }
  const { bytes, unknown } = await downloadSize(urls, signal);
  const others = packages - urls.length + unknown;
  planned.push({ name, version, from: "npm", bytes, others });
  return planned;
}

/** The bytes of all of them together, as far as they are known. */
export function totalBytes(planned: readonly PlannedDownload[]): number {
  return planned.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** How often as large as its download a package is while it is unpacked, the download included. */
const growth = [
  { names: /^tensorflow/, times: 6 },
  { names: /^nvidia/, times: 3 },
  { names: /^@tensorflow/, times: 7 },
];

/** The bytes that an installation takes up at its peak, before what only its making needs goes. */
export function neededBytes(planned: readonly PlannedDownload[]): number {
  return planned.reduce((sum, { name, bytes }) => {
    const times = growth.find(({ names }) => names.test(name))?.times ?? 3;
    return sum + times * bytes;
  }, 0);
}
