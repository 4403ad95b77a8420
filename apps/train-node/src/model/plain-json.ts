import type { PlainData } from "@dino/checkpoint";

/**
 * A checkpoint's data as JSON can have it: integers beyond exact ones and figures that are none
 * become text, bytes their number.
 */
export function plainJson(value: PlainData): unknown {
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return value.map(plainJson);
  if (typeof value !== "object" || value === null) return value;
  const object: Record<string, unknown> = Object.create(null);
  for (const [key, item] of Object.entries(value)) object[key] = plainJson(item);
  return object;
}
