import type { Pixels } from "@dino/ops";

/** A picture of waves and a little noise: no two of its regions look alike. */
export function drawn(width: number, height: number): Pixels {
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => {
    const [x, y, channel] = [Math.floor(i / 3) % width, Math.floor(i / (3 * width)), i % 3];
    return 128 + 80 * Math.sin(x / 5 + 2 * channel) + 40 * Math.cos(y / 3) + ((7 * i * i) % 8);
  });
  return { width, height, data };
}
