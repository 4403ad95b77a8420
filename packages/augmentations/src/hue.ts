import type { Pixels } from "@dino/ops";
import { assertWithin, changed } from "./pixels.ts";

/**
 * The picture with its colours turned by `amount` of the colour circle, in [-0.5, 0.5]: through
 * Pillow's 8-bit HSV and back, so that an amount of 0 loses a little too.
 */
export function hue(pixels: Pixels, amount: number): Pixels {
  assertWithin("amount", amount, -0.5, 0.5);
  return changed(pixels, (data) => turnHue(data, amount));
}

/** `hue` in place. */
export function turnHue(data: Uint8Array, amount: number): void {
  tables ??= makeTables();
  const { hues, saturations, floors, sectors, places } = tables;
  const shift = Math.trunc(255 * amount);
  for (let i = 0; i < data.length; i += 3) {
    const red = data[i] as number;
    const green = data[i + 1] as number;
    const blue = data[i + 2] as number;

    // Which channel is largest and which is smallest decides the sextant of the circle; how far
    // the third is from the largest decides the place in it.
    let most = red;
    let one = green;
    let other = blue;
    let sextant = 0;
    if (green > red || blue > red) {
      other = red;
      if (green >= blue) {
        most = green;
        one = blue;
        sextant = 2;
      } else {
        most = blue;
        sextant = 4;
      }
    }
    if (one < other) sextant++;
    const middle = Math.max(one, other);
    const least = Math.min(one, other);
    const range = most - least;
    if (range === 0) continue; // a grey has no hue to turn

    const turned =
      ((hues[(sextant << 16) | (range << 8) | (most - middle)] as number) + shift) & 255;
    const saturation = saturations[(most << 8) | range] as number;
    const scale = Math.fround(saturation / 255);
    const place = places[turned] as number;
    const p = floors[(most << 8) | saturation] as number;
    const q = (most * (1 - Math.fround(scale * place)) + 0.5) | 0;
    const t = (most * (1 - scale * (1 - place)) + 0.5) | 0;
    const sector = sectors[turned] as number;
    data[i] = sector === 0 || sector === 5 ? most : sector === 1 ? q : sector === 4 ? t : p;
    data[i + 1] = sector === 1 || sector === 2 ? most : sector === 0 ? t : sector === 3 ? q : p;
    data[i + 2] = sector === 3 || sector === 4 ? most : sector === 2 ? t : sector === 5 ? q : p;
  }
}

/** Pillow's way to hue and saturation, as bytes: see `Tables`. The way back is exact in whole numbers. */
export function hueTables(): { readonly hues: Uint8Array; readonly saturations: Uint8Array } {
  tables ??= makeTables();
  return tables;
}

interface Tables {
  /** Hue by sextant, range (largest less smallest) and largest less middle: `[6, 256, 256]`. */
  readonly hues: Uint8Array;
  /** Saturation by the largest channel and the range: `[256, 256]`. */
  readonly saturations: Uint8Array;
  /** The smallest channel on the way back, by the largest and the saturation: `[256, 256]`. */
  readonly floors: Uint8Array;
  /** The sixth of the circle that a hue is in, and its place in that. */
  readonly sectors: Uint8Array;
  readonly places: Float32Array;
}

let tables: Tables | undefined;

/** Pillow's conversions, float32 where it has `float` and float64 where C promotes to `double`. */
function makeTables(): Tables {
  const hues = new Uint8Array(6 << 16);
  const saturations = new Uint8Array(1 << 16);
  const floors = new Uint8Array(1 << 16);
  for (let range = 1; range < 256; range++) {
    for (let below = 0; below <= range; below++) {
      const middle = Math.fround(below / range);
      const angles = [
        1 - middle,
        middle - 1,
        3 - middle,
        2 + middle - 1,
        4 + middle - 1,
        5 - middle,
      ];
      angles.forEach((angle, sextant) => {
        const turn = Math.fround((Math.fround(angle) / 6 + 1) % 1);
        hues[(sextant << 16) | (range << 8) | below] = Math.min(Math.trunc(turn * 255), 255);
      });
    }
  }
  for (let most = 1; most < 256; most++) {
    for (let other = 0; other < 256; other++) {
      const index = (most << 8) | other;
      if (other <= most) saturations[index] = Math.trunc(Math.fround(other / most) * 255);
      floors[index] = Math.floor(most * (1 - Math.fround(other / 255)) + 0.5);
    }
  }
  const sixths = Array.from({ length: 256 }, (_, hue) => (hue * 6) / 255);
  return {
    hues,
    saturations,
    floors,
    sectors: Uint8Array.from(sixths, (sixth) => Math.floor(sixth) % 6),
    places: Float32Array.from(sixths, (sixth) => sixth - Math.floor(sixth)),
  };
}
