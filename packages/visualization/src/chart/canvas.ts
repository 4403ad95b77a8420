import type { Pixels } from "@dino/ops";
import type { Color } from "../color.ts";
import { blank } from "../pixels.ts";
import { glyphAdvance, glyphDots } from "./glyphs.ts";

/** A picture that is being drawn. Coordinates are pixels from the upper left. */
export interface Canvas {
  readonly picture: Pixels;
  /** Mixes a colour into one pixel; outside of the picture nothing happens. */
  mix(x: number, y: number, color: Color, share: number): void;
  fill(left: number, top: number, width: number, height: number, color: Color): void;
  /** Letters of 5 by 7 dots, each `scale` by `scale` pixels. */
  text(left: number, top: number, text: string, scale: number, color: Color): void;
  /** A smooth line through points, `thickness` pixels thick, that touches each pixel once. */
  line(points: readonly Point[], thickness: number, color: Color): void;
}

export type Point = readonly [x: number, y: number];

export function createCanvas(width: number, height: number, background: Color): Canvas {
  const picture = blank(width, height, background);
  const { data } = picture;

  const mix: Canvas["mix"] = (x, y, color, share) => {
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    for (const channel of [0, 1, 2] as const) {
      const at = 3 * (width * y + x) + channel;
      data[at] = Math.round((data[at] as number) * (1 - share) + color[channel] * share);
    }
  };

  const fill: Canvas["fill"] = (left, top, fillWidth, fillHeight, color) => {
    for (let y = top; y < top + fillHeight; y++) {
      for (let x = left; x < left + fillWidth; x++) mix(x, y, color, 1);
    }
  };

  return {
    picture,
    mix,
    fill,

    text(left, top, text, scale, color) {
      [...text].forEach((letter, i) => {
        for (const [column, row] of glyphDots(letter)) {
          const x = left + (i * glyphAdvance + column) * scale;
          fill(x, top + row * scale, scale, scale, color);
        }
      });
    },

    line(points, thickness, color) {
      // How much of each pixel the line covers: the most that any of its segments does, since
      // mixing segment after segment would darken their joints.
      const coverage = new Float32Array(width * height);
      const cover = (from: Point, to: Point) => {
        for (const [x, y, share] of coveredPixels(from, to, thickness)) {
          if (x < 0 || y < 0 || x >= width || y >= height) continue;
          const at = width * y + x;
          coverage[at] = Math.max(coverage[at] as number, share);
        }
      };
      points.forEach((point, i) => {
        cover(points[i - 1] ?? point, point);
      });
      for (let i = 0; i < coverage.length; i++) {
        if (coverage[i]) mix(i % width, Math.floor(i / width), color, coverage[i] as number);
      }
    },
  };
}

/** Pixels near a segment with round ends, and how much of each it covers. */
function* coveredPixels(
  [x0, y0]: Point,
  [x1, y1]: Point,
  thickness: number,
): Generator<readonly [x: number, y: number, share: number]> {
  const radius = thickness / 2;
  const [dx, dy] = [x1 - x0, y1 - y0];
  const squaredLength = dx * dx + dy * dy || 1;
  const reach = radius + 1;
  for (let y = Math.floor(Math.min(y0, y1) - reach); y <= Math.max(y0, y1) + reach; y++) {
    for (let x = Math.floor(Math.min(x0, x1) - reach); x <= Math.max(x0, x1) + reach; x++) {
      const along = ((x + 0.5 - x0) * dx + (y + 0.5 - y0) * dy) / squaredLength;
      const t = Math.min(Math.max(along, 0), 1);
      const distance = Math.hypot(x + 0.5 - x0 - t * dx, y + 0.5 - y0 - t * dy);
      const share = Math.min(1, radius + 0.5 - distance);
      if (share > 0) yield [x, y, share];
    }
  }
}
