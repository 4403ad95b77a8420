/** How long something lasts: epochs, steps, or a share of the run in percent. */
export interface Duration {
  readonly amount: number;
  readonly unit: "epochs" | "steps" | "percent";
}

export interface RunLength {
  /** Steps of an epoch. */
  readonly perEpoch: number;
  /** Steps of the run. */
  readonly steps: number;
}

export const epochs = (amount: number): Duration => ({ amount, unit: "epochs" });
export const steps = (amount: number): Duration => ({ amount, unit: "steps" });
export const percent = (amount: number): Duration => ({ amount, unit: "percent" });

/** Reads `2` or `2epochs`, `500steps`, `10%`; nothing otherwise. */
export function parseDuration(text: string): Duration | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(epochs?|steps?|%)?$/.exec(text.trim());
  if (!match) return undefined;
  const amount = Number(match[1]);
  const unit = match[2] ?? "epochs";
  if (unit === "%") return amount <= 100 ? percent(amount) : undefined;
  if (unit.startsWith("epoch")) return epochs(amount);
  return Number.isSafeInteger(amount) ? steps(amount) : undefined;
}

/** The text that `parseDuration` reads back. */
export function formatDuration({ amount, unit }: Duration): string {
  if (unit === "percent") return `${amount}%`;
  return unit === "epochs" ? `${amount}` : `${amount}steps`;
}

/** The duration in words. */
export function describeDuration({ amount, unit }: Duration): string {
  if (unit === "percent") return `${amount} % of the run`;
  return `${amount} ${amount === 1 ? unit.slice(0, -1) : unit}`;
}

/** Whole steps: what is above 0 lasts at least one. */
export function toSteps({ amount, unit }: Duration, { perEpoch, steps }: RunLength): number {
  if (amount === 0) return 0;
  const exact = { epochs: amount * perEpoch, steps: amount, percent: (amount / 100) * steps }[unit];
  return Math.max(1, Math.round(exact));
}
