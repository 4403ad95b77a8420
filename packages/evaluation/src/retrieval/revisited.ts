import type { QueryTruth } from "./query-scores.ts";
import type { Protocols } from "./retrieval.ts";

/** What a query of revisited Oxford or Paris should find, by number of row. */
export interface RevisitedTruth {
  /** Rows that clearly show the building. */
  readonly easy: ArrayLike<number>;
  /** Rows that show it from afar, in part, or otherwise changed. */
  readonly hard: ArrayLike<number>;
  /** Rows of which people could not tell. */
  readonly junk: ArrayLike<number>;
}

/** The ways in which revisited Oxford and Paris are scored. */
export type RevisitedProtocol = "easy" | "medium" | "hard";

/**
 * The three protocols of revisited Oxford and Paris: easy counts easy rows alone and has hard ones
 * as junk, medium counts both, hard counts hard rows alone and has easy ones as junk.
 */
export function revisitedProtocols(truth: readonly RevisitedTruth[]): Protocols<RevisitedProtocol> {
  const protocol = (make: (truth: RevisitedTruth) => QueryTruth) => truth.map(make);
  return {
    easy: protocol(({ easy, hard, junk }) => ({ positives: easy, junk: joined(junk, hard) })),
    medium: protocol(({ easy, hard, junk }) => ({ positives: joined(easy, hard), junk })),
    hard: protocol(({ easy, hard, junk }) => ({ positives: hard, junk: joined(junk, easy) })),
  };
}

const joined = (a: ArrayLike<number>, b: ArrayLike<number>): readonly number[] => [
  ...Array.from(a),
  ...Array.from(b),
];
