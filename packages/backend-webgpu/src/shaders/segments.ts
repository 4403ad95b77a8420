import type { Segment } from "@dino/ops";
import type { Scalars } from "../program.ts";

/** What a program is told of so many segments. */
export function segmentScalars(segments: number): Scalars {
  return Object.fromEntries(
    range(segments).flatMap((i) => [
      [`sequences${i}`, "u32"],
      [`tokens${i}`, "u32"],
    ]),
  ) as Scalars;
}

/** For how many segments a program is made: one serves all that have few. */
export function segmentSlots({ length }: readonly Segment[]): number {
  return Math.max(4, length);
}

/** The values of `segmentScalars`; the segments that there are not have no sequences. */
export function segmentValues(segments: readonly Segment[]): Readonly<Record<string, number>> {
  const all = range(segmentSlots(segments)).map((i) => segments[i] ?? { sequences: 0, tokens: 1 });
  return Object.fromEntries(
    all.flatMap(({ sequences, tokens }, i) => [
      [`sequences${i}`, sequences],
      [`tokens${i}`, tokens],
    ]),
  );
}

/** `sequenceOfRow(row)`: the number of its sequence, and of its token in it. */
export function sequenceOfRow(segments: number): string {
  return `
fn sequenceOfRow(row: u32) -> vec2<u32> {
  var rest = row;
  var sequence = 0u;
  ${range(segments)
    .map(
      (i) => `if (rest < u.sequences${i} * u.tokens${i}) {
    return vec2<u32>(sequence + rest / u.tokens${i}, rest % u.tokens${i});
  }
  rest -= u.sequences${i} * u.tokens${i};
  sequence += u.sequences${i};`,
    )
    .join("\n  ")}
  return vec2<u32>(sequence, 0u);
}`;
}

/** `placeOfSequence(sequence)`: its first row and how many tokens it has. */
export function placeOfSequence(segments: number): string {
  return `
fn placeOfSequence(sequence: u32) -> vec2<u32> {
  var rest = sequence;
  var row = 0u;
  ${range(segments)
    .map(
      (i) => `if (rest < u.sequences${i}) {
    return vec2<u32>(row + rest * u.tokens${i}, u.tokens${i});
  }
  rest -= u.sequences${i};
  row += u.sequences${i} * u.tokens${i};`,
    )
    .join("\n  ")}
  return vec2<u32>(row, 0u);
}`;
}

/**
 * `placeOfTile(tile)`, each sequence being cut into tiles of `side` tokens: the first row of its
 * sequence, how many tokens that has (none beyond the last tile), and the tile's first token.
 */
export function placeOfTile(segments: number, side: number): string {
  return `
fn placeOfTile(tile: u32) -> vec3<u32> {
  var rest = tile;
  var row = 0u;
  ${range(segments)
    .map(
      (i) => `let tiles${i} = (u.tokens${i} + ${side - 1}u) / ${side}u;
  if (rest < u.sequences${i} * tiles${i}) {
    let sequence = rest / tiles${i};
    return vec3<u32>(row + sequence * u.tokens${i}, u.tokens${i}, (rest % tiles${i}) * ${side}u);
  }
  rest -= u.sequences${i} * tiles${i};
  row += u.sequences${i} * u.tokens${i};`,
    )
    .join("\n  ")}
  return vec3<u32>(row, 0u, 0u);
}`;
}

/** How many tiles there are. */
export function tilesOf(segments: readonly Segment[], side: number): number {
  return segments.reduce(
    (tiles, { sequences, tokens }) => tiles + sequences * Math.ceil(tokens / side),
    0,
  );
}

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i);
}
