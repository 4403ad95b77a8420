/** Red, green and blue, 0 to 255. */
export type Color = readonly [red: number, green: number, blue: number];

/** A colour from its hexadecimal form, such as `ff8000`. */
export function color(hex: string): Color {
  const value = Number.parseInt(hex, 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** Twelve colours that differ in hue and lightness: one a head, or a line of a chart. */
export const palette: readonly Color[] = [
  "2f6fd0",
  "e2711d",
  "2e9e5b",
  "d1345b",
  "8656c4",
  "14a5b5",
  "b88a00",
  "e05fb0",
  "5c7c1f",
  "7a4a2b",
  "3c3f8f",
  "8d8d8d",
].map(color);

/** The colour of the `index`th thing; there are as many as one likes, the same ones again. */
export function paletteColor(index: number, colors: readonly Color[] = palette): Color {
  return colors[index % colors.length] as Color;
}
