import type { Pixels } from "@dino/ops";
import { fold, key, type Random, random } from "@dino/random";
import type { PictureSet } from "./emoji.ts";
import { type HeldPicture, heldSet } from "./held-set.ts";

/** Whether a point lies on the pattern's first colour; `period` in pixels. */
type Pattern = (x: number, y: number, period: number) => boolean;

const half = (value: number) => value - Math.floor(value) < 0.5;

const patterns: Readonly<Record<string, Pattern>> = {
  plain: () => true,
  horizontal: (_, y, period) => half(y / period),
  vertical: (x, _, period) => half(x / period),
  slanted: (x, y, period) => half((x + y) / period / Math.SQRT2),
  chequered: (x, y, period) => half(x / period) !== half(y / period),
  dotted: (x, y, period) => {
    const from = (value: number) => value / period - Math.floor(value / period) - 0.5;
    return from(x) ** 2 + from(y) ** 2 < 0.09;
  },
  ringed: (x, y, period) => half(Math.hypot(x, y) / period),
  wavy: (x, y, period) => half((y + 2 * Math.sin(x / 2.2)) / period),
};

const side = 48;

/**
 * Discs and squares with a pattern each, in any colours and places, on a plain ground. They have no
 * classes: what is learnt shows in how well a view finds its picture.
 */
export function patternSet(): PictureSet {
  return { training: drawn(120, 0), test: drawn(30, 1) };
}

function drawn(each: number, part: number) {
  return heldSet(patternPictures(each, part), []);
}

/** `each` pictures of every kind; those of another `part` are others. */
export function patternPictures(each: number, part = 0): HeldPicture[] {
  return Object.entries(patterns).flatMap(([name, pattern], kind) =>
    Array.from({ length: each }, (_, i) => {
      const drawing = random(fold(key(0), part, kind, i));
      return { name: `${name} ${i + 1}`, label: -1, picture: draw(pattern, drawing) };
    }),
  );
}

function draw(pattern: Pattern, from: Random): Pixels {
  const between = (low: number, high: number) => from.uniform(low, high);
  const light = between(0.25, 0.75);
  const step = between(0.25, 0.45) * (from.uniform() < 0.5 ? -1 : 1);
  const one = color(between(0, 360), between(0.3, 0.9), light);
  const other = color(between(0, 360), between(0.3, 0.9), clamp(light + step));
  const ground = color(between(0, 360), between(0, 0.3), between(0.75, 0.95));
  const [radius, period] = [between(13, 20), between(5, 8)];
  const [centreX, centreY] = [between(17, 31), between(17, 31)];
  const [shiftX, shiftY] = [between(0, 9), between(0, 9)];
  const isSquare = from.uniform() < 0.5;

  const data = new Uint8Array(3 * side * side);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const [dx, dy] = [x - centreX, y - centreY];
      const far = isSquare ? Math.max(Math.abs(dx), Math.abs(dy)) / 0.88 : Math.hypot(dx, dy);
      const inside = pattern === patterns.ringed ? [dx, dy] : [x + shiftX, y + shiftY];
      const onFirst = pattern(inside[0] as number, inside[1] as number, period);
      data.set(far >= radius ? ground : onFirst ? one : other, 3 * (y * side + x));
    }
  }
  return { width: side, height: side, data };
}

const clamp = (light: number) => Math.min(Math.max(light, 0.08), 0.92);

/** Red, green and blue of hue (degrees), saturation and lightness. */
function color(hue: number, saturation: number, lightness: number): [number, number, number] {
  const channel = (offset: number) => {
    const place = (offset + hue / 30) % 12;
    const reach = saturation * Math.min(lightness, 1 - lightness);
    const level = lightness - reach * Math.max(-1, Math.min(place - 3, 9 - place, 1));
    return Math.round(255 * level);
  };
  return [channel(0), channel(8), channel(4)];
}
