import type { Detection } from "./engine.ts";

/**
 * How an engine computes inside. Values are float32 at every public door in any case; bf16 and f16
 * keep what products multiply and activations for the way back in 16 bits, bfloat16 or halves
 * (IEEE 754 binary16), and accumulate in float32. An engine has the one or the other.
 */
export type Precision = "fp32" | "bf16" | "f16";

/** What may be asked for. */
export const askable: readonly (Precision | "auto")[] = ["fp32", "bf16", "f16", "auto"];

/** What an engine takes, and why it is not bf16 where it was left to it; or why it cannot. */
export type Taken =
  | { readonly precision: Precision; readonly reason?: string }
  | { readonly precision?: never; readonly reason: string };

/** "no bf16: the processor lacks it", of a precision that an engine does not have. */
export function lacking(
  { precisions = ["fp32"], withoutBf16 }: Detection,
  precision: Precision,
): string | undefined {
  if (precisions.includes(precision)) return undefined;
  const why = precision === "bf16" && withoutBf16 !== undefined ? `: ${withoutBf16}` : "";
  return `no ${precision}${why}`;
}

/** What an engine takes of what is asked: `auto` is bf16 where it has that, else fp32. */
export function takePrecision(detection: Detection, asked: Precision | "auto"): Taken {
  const precision = asked === "auto" ? "bf16" : asked;
  const reason = lacking(detection, precision);
  if (reason === undefined) return { precision };
  return asked === "auto" ? { precision: "fp32", reason } : { reason };
}
