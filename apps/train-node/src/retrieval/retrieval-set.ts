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
