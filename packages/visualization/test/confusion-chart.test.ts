import { confusionChart, viridis } from "@dino/visualization";
import { expect, test } from "vitest";
import { pixel } from "./pictures.ts";

const names = (count: number) => Array.from({ length: count }, (_, i) => `class ${i}`);
const diagonal = (count: number) =>
  Uint32Array.from({ length: count * count }, (_, i) => (i % (count + 1) === 0 ? 3 : 0));

/** How many pixels have this colour. */
function area({ data }: ReturnType<typeof confusionChart>, color: readonly number[]): number {
  const [red, green, blue] = color;
  let found = 0;
  for (let i = 0; i < data.length; i += 3) {
    if (data[i] === red && data[i + 1] === green && data[i + 2] === blue) found++;
  }
  return found;
}

test("colours each cell by its share of the row", () => {
  const chart = confusionChart([3, 1, 0, 2], { names: ["a", "b"] });
  const right = chart.width - 8 * 2;
  const bottom = chart.height - 8 * 2;
  const at = (column: number, row: number) =>
    pixel(chart, right - (2 - column) * 40 + 1, bottom - (2 - row) * 40 + 1);
  expect(at(0, 0)).toEqual([...viridis(0.75)]);
  expect(at(1, 0)).toEqual([...viridis(0.25)]);
  expect(at(0, 1)).toEqual([...viridis(0)]);
  expect(at(1, 1)).toEqual([...viridis(1)]);
});

test("leaves a class without pictures at nothing", () => {
  const chart = confusionChart([0, 0, 0, 2], { names: ["a", "b"] });
  expect(area(chart, viridis(0))).toBeGreaterThan(3 * 39 * 39 - 1);
});

test.each([10, 40, 100, 1000])("fits %i classes into a picture", (count) => {
  const chart = confusionChart(diagonal(count), { names: names(count) });
  expect(Math.max(chart.width, chart.height)).toBeLessThan(2100);
  expect(area(chart, viridis(1))).toBeGreaterThan(count * 3);
});

test("has room for long names and a long title", () => {
  const options = { names: ["a name that nobody can read to its end", "b"] };
  const narrow = confusionChart([1, 0, 0, 1], { names: ["a", "b"] });
  const wide = confusionChart([1, 0, 0, 1], options);
  expect(wide.width - narrow.width).toBe(17 * 12);
  const title = "so many words above so few classes, and more of them";
  const titled = confusionChart([1, 0, 0, 1], { ...options, title });
  expect(titled.width).toBeGreaterThan(title.length * 12);
  expect(titled.height).toBeGreaterThan(wide.height);
});

test("says what is wrong with the counts", () => {
  expect(() => confusionChart([1], { names: ["a", "b"] })).toThrow(
    "counts: expected 2 rows of 2 counts, got 1 in all",
  );
  expect(() => confusionChart([], { names: [] })).toThrow(
    "names: expected 1 to 2000 classes, got 0",
  );
});
