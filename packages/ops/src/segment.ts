/**
 * Sequences of one length, packed as rows: sequence after sequence, token after token. Several
 * segments, one after the other, let crops of several sizes share one product.
 */
export interface Segment {
  readonly sequences: number;
  readonly tokens: number;
}

/** The rows that the segments take together. */
export function rowsOf(segments: readonly Segment[]): number {
  return segments.reduce((rows, { sequences, tokens }) => rows + sequences * tokens, 0);
}

/** The sequences of all segments together. */
export function sequencesOf(segments: readonly Segment[]): number {
  return segments.reduce((total, { sequences }) => total + sequences, 0);
}
