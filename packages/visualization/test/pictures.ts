import type { Pixels } from "@dino/ops";

/** A picture whose every byte differs from its neighbours. */
export function noise(width: number, height: number): Pixels {
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 89 + 17) % 251);
  return { width, height, data };
}

/** The colour of one pixel. */
export function pixel({ width, data }: Pixels, x: number, y: number): number[] {
  return [...data.slice(3 * (width * y + x), 3 * (width * y + x) + 3)];
}
