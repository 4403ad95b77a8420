import { assertFeatures, assertSameDim, type Features } from "./features.ts";
import type { LongCall } from "./long-call.ts";
import { nearest } from "./nearest.ts";

/**
 * How good features of pictures without any label are: the share of pictures, in percent, that a
 * distorted view finds again. Row i of `a` and row i of `b` are two views of picture i, and
 * a view of `a` finds its picture when no row of `b` is as similar to it as its own. Features
 * that know nothing find one picture in `count`, features that have collapsed next to none.
 */
export async function viewRetrieval(
  a: Features,
  b: Features,
  options: LongCall = {},
): Promise<number> {
  assertFeatures("a", a);
  assertFeatures("b", b);
  assertSameDim("b", b, "a", a);
  if (a.count !== b.count) {
    throw new RangeError(`b: expected ${a.count} views as in a, got ${b.count}`);
  }
  const { indices } = await nearest(a, b, { k: 1, ...options });
  const found = indices.reduce((hits, index, i) => (index === i ? hits + 1 : hits), 0);
  return (100 * found) / a.count;
}
