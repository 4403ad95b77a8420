import { totalmem } from "node:os";

/** Bytes of memory that this process may use: the machine's, or the container's share of it. */
export function hostMemory(): number {
  const constrained = process.constrainedMemory?.() ?? 0;
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
