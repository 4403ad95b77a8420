import type { Metrics } from "@dino/trainer";

/** What the two terms of the loss mean, in plain words. */
export function diagnosis(metrics: readonly Metrics[], prototypes: number): string {
  const recent = metrics.slice(-20);
  if (recent.length < 5) return "";
  const uniform = Math.log(prototypes);
  const mean = (of: (each: Metrics) => number) =>
    recent.reduce((sum, each) => sum + of(each), 0) / recent.length;
  const entropy = mean(({ targetEntropy }) => targetEntropy) / uniform;
  const divergence = mean(({ divergence }) => divergence) / uniform;
  if (divergence < 0.005)
    return "Student and teacher agree on everything: the model is collapsing.";
  if (entropy > 0.98)
    return "The teacher cannot decide yet: every answer is as likely as the next.";
  if (entropy < 0.02) return "The teacher is sure of everything: it may be saying the same of all.";
  if (entropy > 0.7) return "Just beginning: the teacher’s answers are still vague.";
  return "Healthy: the teacher has opinions, and the student still has something to learn.";
}
