import { type Color, color } from "./color.ts";

/** A colour for a value in [0, 1]; values beyond have the colour of the end, NaN that of 0. */
export type ColorMap = (value: number) => Color;

/** From violet through green to yellow, as bright as the value: what the paper's maps are drawn in. */
export const viridis: ColorMap = between(
  "440154 481467 482576 463580 414487 3b528b 345f8d 2f6c8e 2a788e 25848e 21908d " +
    "1e9c8a 22a884 2eb47c 43bf71 5cc963 7ad251 9ad93d bcdf26 dee316 fee723",
);

/** From black through red to pale yellow. */
export const inferno: ColorMap = between(
  "000002 07051c 170c3b 2c0b59 420969 57106e 6b176f 7f1f6c 932667 a82d5f bb3655 " +
    "cd4248 dd513a ea622a f3771a fa8d08 fca408 fbbd22 f6d643 f0ee71 faffa6",
);

/**
 * Straight lines between anchors at equal distances. These ones are the least-squares fit to
 * matplotlib's tables of 256 (public domain), of which no channel is more than 2 off.
 */
function between(hexes: string): ColorMap {
  const anchors = hexes.split(" ").map(color);
  return (value) => {
    const position = Math.min(Math.max(0, value || 0), 1) * (anchors.length - 1);
    const index = Math.min(Math.floor(position), anchors.length - 2);
    const [from, to] = [anchors[index], anchors[index + 1]] as [Color, Color];
    const mix = (channel: 0 | 1 | 2) =>
      Math.round(from[channel] + (to[channel] - from[channel]) * (position - index));
    return [mix(0), mix(1), mix(2)];
  };
}
