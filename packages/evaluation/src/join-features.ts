import { assertSameDim, type Features } from "./features.ts";

/** The rows of several sets of features, one set after the other: those of one set as they are. */
export function joinFeatures(parts: readonly Features[]): Features {
  const [first] = parts;
  if (first === undefined) throw new RangeError("parts: expected at least one, got none");
  if (parts.length === 1) return first;
  const { dim } = first;
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const rows = new Float32Array(count * dim);
  const labels = new Int32Array(count);
  let done = 0;
  parts.forEach((part, i) => {
    assertSameDim(`parts[${i}]`, part, "parts[0]", first);
    rows.set(part.rows, done * dim);
    labels.set(part.labels, done);
    done += part.count;
  });
  return { rows, dim, count, labels };
}
