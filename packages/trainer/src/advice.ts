import type { Metrics } from "./metrics.ts";

/** How many readings in a row make a verdict. */
const patience = 50;

/**
 * Watches the two terms of the loss as the paper does (section 5.3): a divergence of 0 is
 * collapse, an entropy of 0 lacks centring, one of ln(prototypes) lacks sharpening. Gives each
 * advice once.
 */
export function adviser(prototypes: number): (metrics: Metrics) => string | undefined {
  const uniform = Math.log(prototypes);
  const symptoms = [
    {
      shows: ({ targetEntropy }: Metrics) => targetEntropy > 0.99 * uniform,
      advice:
        "the teacher's targets are uniform: sharpening is too weak. Lower the teacher's temperature, or its warm-up's start.",
    },
    {
      shows: ({ targetEntropy }: Metrics) => targetEntropy < 0.01 * uniform,
      advice:
        "the teacher's targets are one prototype each: centring is too weak. Raise the teacher's temperature, or lower the centre's momentum.",
    },
    {
      shows: ({ divergence }: Metrics) => Math.abs(divergence) < 0.002 * uniform,
      advice:
        "student and teacher agree on everything, which is collapse. Lower the learning rate, freeze the last layer for longer, or raise the teacher's momentum.",
    },
  ].map((symptom) => ({ ...symptom, seen: 0 }));
  return (metrics) => {
    for (const symptom of symptoms) {
      symptom.seen = symptom.shows(metrics) ? symptom.seen + 1 : Math.min(symptom.seen, 0);
      if (symptom.seen < patience) continue;
      symptom.seen = Number.NEGATIVE_INFINITY;
      return symptom.advice;
    }
    return undefined;
  };
}
