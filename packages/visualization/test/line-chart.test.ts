import { lineChart, palette } from "@dino/visualization";
import fc from "fast-check";
import { expect, test } from "vitest";
import { niceRange, ticks, wideRange } from "../src/chart/ticks.ts";
import { pixel } from "./pictures.ts";

const red = [200, 0, 0] as const;

/** Where a colour stands in a picture. */
function places(
  picture: ReturnType<typeof lineChart>,
  color: readonly number[],
): [number, number][] {
  const found: [number, number][] = [];
  for (let y = 0; y < picture.height; y++) {
    for (let x = 0; x < picture.width; x++) {
      if (pixel(picture, x, y).every((value, i) => value === color[i])) found.push([x, y]);
    }
  }
  return found;
}

test("draws a rising line from the lower left to the upper right", () => {
  const chart = lineChart({
    series: [{ name: "up", y: [0, 1, 2, 4], color: red }],
    title: "Rising",
  });
  expect([chart.width, chart.height]).toEqual([720, 420]);
  const line = places(chart, red);
  const [left, right] = [
    line.reduce((a, b) => (a[0] < b[0] ? a : b)),
    line.reduce((a, b) => (a[0] > b[0] ? a : b)),
  ];
  expect(right[0] - left[0]).toBeGreaterThan(600);
  expect(left[1] - right[1]).toBeGreaterThan(280);
});

test("breaks the line where a value is not finite", () => {
  const y = Array.from({ length: 101 }, (_, i) => (i > 40 && i < 60 ? Number.NaN : 1 + i / 100));
  const columns = new Set(
    places(lineChart({ series: [{ name: "y", y, color: red }] }), red).map(([x]) => x),
  );
  const gaps = [...columns].sort((a, b) => a - b).map((x, i, all) => x - (all[i - 1] ?? x));
  expect(gaps.filter((gap) => gap > 100).length).toBe(1);
});

test("names several lines, in their colours, and a line alone by the title", () => {
  const one = lineChart({ series: [{ name: "a", y: [1, 2] }] });
  const two = lineChart({
    series: [
      { name: "a", y: [1, 2] },
      { name: "b", y: [2, 1] },
    ],
  });
  const top = (chart: typeof one, i: number) =>
    places(chart, palette[i] as readonly number[])[0]?.[1];
  expect(top(one, 0)).toBeLessThan(24);
  expect(top(two, 0)).toBe(top(two, 1));
});

test("is the same for the same values, and stands any of them", () => {
  const value = fc.oneof(
    fc.double(),
    fc.double({ min: -10, max: 10, noNaN: true }),
    fc.constantFrom(0, 1, Number.NaN, 1e-9, 3e9),
  );
  fc.assert(
    fc.property(fc.array(value, { maxLength: 8 }), fc.constantFrom(120, 480), (y, size) => {
      const draw = () =>
        lineChart({
          series: [{ name: "y", y }],
          xLabel: "step",
          yLabel: "é",
          width: size,
          height: size,
        });
      const { data } = draw();
      expect(draw().data.every((byte, i) => byte === data[i])).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test("puts ticks at round numbers, with no more digits than they need", () => {
  expect(ticks(0, 20_000, 5).labels).toEqual(["0", "5k", "10k", "15k", "20k"]);
  expect(ticks(0, 8, 4).labels).toEqual(["0", "2", "4", "6", "8"]);
  expect(ticks(-0.3, 0.3, 6).labels).toEqual(["-0.3", "-0.2", "-0.1", "0", "0.1", "0.2", "0.3"]);
  expect(ticks(0, 5e-4, 5).labels.at(-1)).toBe("0.0005");
  expect(ticks(0, 3e6, 3).labels.at(-1)).toBe("3M");
  expect(ticks(0, 1500, 3).labels.at(-1)).toBe("1500");
  expect(niceRange(0.4, 7.7, 5)).toEqual([0, 8]);
  expect(wideRange(3, 3)).toEqual([1.5, 4.5]);
  expect(wideRange(0, 0)).toEqual([-1, 1]);
  expect(wideRange(1, 2)).toEqual([1, 2]);
});

test("says what it cannot draw", () => {
  expect(() => lineChart({ series: [], width: 100 })).toThrow(
    "chart: expected at least 120 x 120 pixels, got 100 x 420",
  );
  expect(() => lineChart({ series: [{ name: "loss", x: [1], y: [1, 2] }] })).toThrow(
    "series loss: expected as many x as y, got 1 x and 2 y",
  );
});
