/**
 * The smallest set of patches, strongest first, that holds at least `keep` of a map's mass: 1 for
 * those, 0 for the others. The paper shows `keep` 0.6.
 *
 * As the reference does it: normalise to a sum of 1, add up from the weakest on, and keep what
 * lies above `1 - keep`. Of equal patches the later ones are kept.
 */
export function massMask(map: ArrayLike<number>, keep: number): Uint8Array {
  if (!(keep > 0 && keep <= 1)) throw new RangeError(`keep: expected (0, 1], got ${keep}`);
  const values = Array.from(map);
  const weakestFirst = values.map((_, patch) => patch);
  weakestFirst.sort((a, b) => (values[a] as number) - (values[b] as number));

  // Rounded where the reference rounds to float32, so that ties at the threshold fall alike.
  const total = Math.fround(values.reduce((sum, value) => sum + value, 0));
  const threshold = Math.fround(1 - keep);
  const mask = new Uint8Array(values.length);
  let mass = 0;
  for (const patch of weakestFirst) {
    mass += Math.fround((values[patch] as number) / total);
    if (Math.fround(mass) > threshold) mask[patch] = 1;
  }
  return mask;
}
