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

/** What an engine takes of what is asked: `auto` is bf16 where it has that, else fp32. */
export function takePrecision(
  { precisions = ["fp32"], withoutBf16 }: Detection,
  asked: Precision | "auto",
): Taken {
  if (asked !== "auto" && precisions.includes(asked)) return { precision: asked };
  if (asked === "auto" && precisions.includes("bf16")) return { precision: "bf16" };
  const missing = asked === "auto" ? "bf16" : asked;
  const why = missing === "bf16" && withoutBf16 !== undefined ? `: ${withoutBf16}` : "";
  const reason = `no ${missing}${why}`;
  return asked === "auto" ? { precision: "fp32", reason } : { reason };
}
