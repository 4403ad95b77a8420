import { at, type Values } from "./linear.ts";
import { length } from "./norms.ts";

interface AdamW {
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly step: number;
}

/** PyTorch's AdamW, element by element. */
export function adamW(
  { parameter, gradient, moment1, moment2 }: Readonly<Record<string, Values>>,
  { learningRate, weightDecay, beta1, beta2, epsilon, step }: AdamW,
): Record<"parameter" | "moment1" | "moment2", Values> {
  const first = (moment1 as Values).map(
    (m, i) => beta1 * m + (1 - beta1) * at(gradient as Values, i),
  );
  const second = (moment2 as Values).map(
    (m, i) => beta2 * m + (1 - beta2) * at(gradient as Values, i) ** 2,
  );
  return {
    parameter: (parameter as Values).map((p, i) => {
      const decayed = p * (1 - learningRate * weightDecay);
      const spread = Math.sqrt(at(second, i)) / Math.sqrt(1 - beta2 ** step) + epsilon;
      return decayed - ((learningRate / (1 - beta1 ** step)) * at(first, i)) / spread;
    }),
    moment1: first,
    moment2: second,
  };
}

interface Momentum {
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly momentum: number;
  /** How far LARS lets an update go; plain gradient descent without. */
  readonly trust?: number;
}

/** Gradient descent with momentum; LARS where there is a trust. */
export function descend(
  parameter: Values,
  gradient: Values,
  buffer: Values | undefined,
  { learningRate, weightDecay, momentum, trust }: Momentum,
): Record<"parameter" | "buffer", Values> {
  let direction = gradient.map((g, i) => g + weightDecay * at(parameter, i));
  if (trust !== undefined) {
    const [size, slope] = [length(parameter), length(direction)];
    const ratio = size > 0 && slope > 0 ? (trust * size) / slope : 1;
    direction = direction.map((d) => d * ratio);
  }
  const next = direction.map((d, i) => (buffer ? momentum * at(buffer, i) : 0) + d);
  return { parameter: parameter.map((p, i) => p - learningRate * at(next, i)), buffer: next };
}
