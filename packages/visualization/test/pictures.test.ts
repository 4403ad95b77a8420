import {
  type AttentionMaps,
  colorHeads,
  contactSheet,
  encodePng,
  heatmap,
  inferno,
  maskOverlay,
  massMask,
  normalize,
  overlay,
  palette,
  viridis,
} from "@dino/visualization";
import { decode } from "fast-png";
import { expect, test } from "vitest";
import { noise, pixel } from "./pictures.ts";

const grid = { rows: 2, columns: 3, patchSize: 4 };
const maps = [
  Float32Array.of(0.1, 0.2, 0.4, 0.05, 0.1, 0),
  Float32Array.of(0.3, 0, 0, 0.3, 0.1, 0),
];
const attention: AttentionMaps = { ...grid, heads: 2, maps, mean: new Float32Array(6) };

test("draws viridis and inferno from dark to light, as matplotlib's first, middle and last", () => {
  const near = (color: readonly number[], expected: readonly number[]) =>
    color.forEach((value, i) => {
      expect(Math.abs(value - (expected[i] as number))).toBeLessThanOrEqual(2);
    });
  near(viridis(0), [68, 1, 84]);
  near(viridis(128 / 255), [33, 145, 140]);
  near(viridis(1), [253, 231, 37]);
  near(inferno(0), [0, 0, 4]);
  near(inferno(128 / 255), [188, 55, 84]);
  near(inferno(1), [252, 255, 164]);
  for (const colors of [viridis, inferno]) {
    const light = (value: number) => {
      const [red, green, blue] = colors(value);
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    for (let i = 1; i <= 50; i++) expect(light(i / 50)).toBeGreaterThan(light((i - 1) / 50));
    expect(colors(-3)).toEqual(colors(0));
    expect(colors(7)).toEqual(colors(1));
    expect(colors(Number.NaN)).toEqual(colors(0));
  }
});

test("stretches a map to [0, 1], and an even one to 0", () => {
  expect(normalize([2, 4, 3])).toEqual(Float32Array.of(0, 1, 0.5));
  expect(normalize([5, 5])).toEqual(Float32Array.of(0, 0));
});

test("draws a heatmap patch by patch", () => {
  const picture = heatmap([0, 1, 2, 3, 4, 5], { ...grid, colors: inferno });
  expect([picture.width, picture.height]).toEqual([12, 8]);
  for (let y = 0; y < 8; y++) {
    for (let x = 0; x < 12; x++) {
      const value = (Math.floor(y / 4) * 3 + Math.floor(x / 4)) / 5;
      expect(pixel(picture, x, y)).toEqual([...inferno(Math.fround(value))]);
    }
  }
});

test("lays a layer over a picture, and leaves what it does not reach", () => {
  const picture = noise(5, 4);
  const layer = noise(3, 2);
  const mixed = overlay(picture, layer, { opacity: 0.25 });
  for (const channel of [0, 1, 2]) {
    const under = pixel(picture, 2, 1)[channel] as number;
    const over = pixel(layer, 2, 1)[channel] as number;
    expect(pixel(mixed, 2, 1)[channel]).toBe(Math.round(0.75 * under + 0.25 * over));
  }
  expect(pixel(mixed, 3, 1)).toEqual(pixel(picture, 3, 1));
  expect(pixel(mixed, 1, 2)).toEqual(pixel(picture, 1, 2));
  expect(picture).toEqual(noise(5, 4));
});

test("tints and outlines the patches of a mask", () => {
  const picture = noise(13, 9);
  const tinted = maskOverlay(picture, [0, 1, 1, 0, 0, 0], { ...grid, color: [0, 0, 0] });
  expect(pixel(tinted, 3, 1)).toEqual(pixel(picture, 3, 1));
  expect(pixel(tinted, 4, 1)).toEqual([0, 0, 0]);
  expect(pixel(tinted, 7, 1)).toEqual(pixel(picture, 7, 1).map((value) => Math.round(value / 2)));
  expect(pixel(tinted, 11, 2)).toEqual([0, 0, 0]);
  expect(pixel(tinted, 12, 8)).toEqual(pixel(picture, 12, 8));
});

test("colours the strongest mass of each head, one after the other", () => {
  const picture = noise(14, 9);
  const colored = colorHeads(picture, attention, { keep: 0.6 });
  for (let y = 0; y < 9; y++) {
    for (let x = 0; x < 14; x++) {
      let color = pixel(picture, x, y);
      maps.forEach((map, head) => {
        if (x >= 12 || y >= 8) return;
        const patch = Math.floor(y / 4) * 3 + Math.floor(x / 4);
        if (!massMask(map, 0.6)[patch]) return;
        const stays = 1 - 0.5 * Math.sqrt(normalize(map)[patch] as number);
        color = color.map(
          (value, i) => value * stays + (palette[head]?.[i] as number) * (1 - stays),
        );
      });
      expect(pixel(colored, x, y)).toEqual(color.map(Math.round));
    }
  }
});

test("shows every head when there are more of them than colours", () => {
  const many = { ...attention, heads: 3, maps: [...maps, maps[0] as Float32Array] };
  const colors = [[255, 0, 0]] as const;
  const colored = colorHeads(noise(12, 8), many, { colors });
  expect(colored).not.toEqual(colorHeads(noise(12, 8), attention, { colors }));
});

test("writes PNG without loss", async () => {
  const picture = noise(31, 17);
  const { width, height, channels, depth, data } = decode(await encodePng(picture));
  expect({ width, height, channels, depth }).toEqual({
    width: 31,
    height: 17,
    channels: 3,
    depth: 8,
  });
  expect(new Uint8Array(data)).toEqual(picture.data);
});

test("sets pictures side by side, each in the middle of its cell", () => {
  const [wide, tall, small] = [noise(6, 2), noise(2, 6), noise(2, 2)];
  const background = [9, 8, 7] as const;
  const sheet = contactSheet([wide, tall, small], { columns: 2, gap: 1, background });
  expect([sheet.width, sheet.height]).toEqual([1 + 7 + 7, 1 + 7 + 7]);
  expect(pixel(sheet, 1, 3)).toEqual(pixel(wide, 0, 0));
  expect(pixel(sheet, 10, 1)).toEqual(pixel(tall, 0, 0));
  expect(pixel(sheet, 4, 11)).toEqual(pixel(small, 1, 1));
  expect(pixel(sheet, 0, 0)).toEqual([...background]);
  expect(pixel(sheet, 14, 14)).toEqual([...background]);
});

test("says what does not fit together", async () => {
  expect(() => colorHeads(noise(11, 8), attention)).toThrow(
    "picture: expected at least 12 x 8, got 11 x 8",
  );
  expect(() => overlay(noise(2, 2), noise(2, 3))).toThrow(
    "picture: expected at least 2 x 3, got 2 x 2",
  );
  expect(() => overlay(noise(2, 2), noise(2, 2), { opacity: 2 })).toThrow(
    "opacity: expected [0, 1], got 2",
  );
  expect(() => colorHeads(noise(12, 8), attention, { colors: [] })).toThrow(
    "colors: expected one or more, got none",
  );
  expect(() => contactSheet([])).toThrow("pictures: expected one or more, got none");
  expect(() => contactSheet([noise(1, 1)], { columns: 0 })).toThrow(
    "columns: expected an integer of 1 and more, got 0",
  );
  await expect(encodePng({ ...noise(2, 2), height: 3 })).rejects.toThrow(
    "picture: expected 18 bytes for RGB of 2 x 3, got 12",
  );
});
