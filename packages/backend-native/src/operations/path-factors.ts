import type { Segment } from "@dino/ops";

/** A factor for each row, of one for each sequence; nothing of nothing. */
export function pathFactors(
  scale: Float32Array | undefined,
  segments: readonly Segment[],
): Float32Array | undefined {
  if (scale === undefined) return undefined;
  const rows = segments.reduce((sum, { sequences, tokens }) => sum + sequences * tokens, 0);
  const factors = new Float32Array(rows);
  let [row, sequence] = [0, 0];
  for (const { sequences, tokens } of segments) {
    for (let i = 0; i < sequences; i++, sequence++, row += tokens) {
      factors.fill(scale[sequence] as number, row, row + tokens);
    }
  }
  return factors;
}
