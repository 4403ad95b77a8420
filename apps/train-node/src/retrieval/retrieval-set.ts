import type { Protocols } from "@dino/evaluation";
import type { PictureListing } from "../features/feature-identity.ts";

/** A part of a picture, in pixels from its upper left corner. */
export interface QueryBox {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Queries, the pictures that are searched, and what is to be found. */
export interface RetrievalSet {
  readonly queries: PictureListing;
  readonly rows: PictureListing;
  /** By name, a truth for each query. */
  readonly protocols: Protocols;
  /** Where what is searched for is in each query, if that is known. */
  readonly boxes?: readonly QueryBox[];
}

/** Pictures by their files' names below a folder, without classes. */
export function listingOf(path: string, names: readonly string[]): PictureListing {
  return { path, length: names.length, name: (i) => names[i] as string, label: () => -1 };
}
