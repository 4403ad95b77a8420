import type { Kind } from "../settings/kinds.ts";

/** A place in a picture, from its upper left corner: in pixels, or as shares of its sides. */
export interface Point {
  readonly x: number;
  readonly y: number;
  readonly unit: "pixels" | "percent";
}

/** `320,180` or `40%,25%`. */
export const point: Kind<Point> = {
  placeholder: "x,y",
  expected: "two numbers with a comma, in pixels such as 320,180 or in percent such as 40%,25%",
  read: (text) => {
    const match = /^\s*(\d+(?:\.\d+)?)(%?)\s*,\s*(\d+(?:\.\d+)?)(%?)\s*$/.exec(text);
    if (!match || match[2] !== match[4]) return undefined;
    return { x: Number(match[1]), y: Number(match[3]), unit: match[2] ? "percent" : "pixels" };
  },
  show: ({ x, y, unit }) => (unit === "percent" ? `${x}%,${y}%` : `${x},${y}`),
};

interface Extent {
  readonly width: number;
  readonly height: number;
}

/** The point as shares of a picture's sides, in [0, 1); nothing where it lies outside. */
export function shares(
  { x, y, unit }: Point,
  { width, height }: Extent,
): { readonly x: number; readonly y: number } | undefined {
  const [across, down] = unit === "percent" ? [x / 100, y / 100] : [x / width, y / height];
  return across < 1 && down < 1 ? { x: across, y: down } : undefined;
}
