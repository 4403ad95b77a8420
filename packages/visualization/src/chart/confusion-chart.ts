import type { Pixels } from "@dino/ops";
import { color } from "../color.ts";
import { type ColorMap, viridis } from "../color-map.ts";
import { type Canvas, createCanvas } from "./canvas.ts";
import { glyphAdvance, glyphDots, glyphHeight } from "./glyphs.ts";

export interface ConfusionChartOptions {
  /** What the classes are called. */
  readonly names: readonly string[];
  readonly title?: string;
  /** From no share of a class to all of it. */
  readonly colors?: ColorMap;
}

const background = color("ffffff");
const ink = color("24292f");
const faint = color("6e7781");

/** Beyond this many classes the picture has fewer than two pixels a class. */
const mostClasses = 2000;
const longestName = 18;

/**
 * What pictures of each class were taken for: a row a class, a column for each answer, coloured by
 * the share of the row. `counts` is `[classes, classes]`, row by row. Up to 30 classes have their
 * names and percents beside and in the cells, up to 75 their names.
 */
export function confusionChart(
  counts: ArrayLike<number>,
  { names, title = "", colors = viridis }: ConfusionChartOptions,
): Pixels {
  const classes = names.length;
  assertCounts(counts, classes);
  const { cell, scale, named, numbered } = layoutOf(classes);
  const letter = { width: glyphAdvance * scale, height: glyphHeight * scale };
  const shown = named ? names.map(shortened) : [];
  const room = Math.max(0, ...shown.map((name) => name.length)) * letter.width;
  const margin = 8 * scale;
  const line = Math.round(1.8 * letter.height);
  const left = margin + line + room + (named ? letter.width : 0);
  const top = margin + (title ? line : 0) + line + room + (named ? letter.width : 0);
  const widest = Math.max(classes * cell, (title.length + 1) * letter.width - left);
  const canvas = createCanvas(left + widest + margin, top + classes * cell + margin, background);

  if (title) canvas.text(margin, margin, title, scale, ink);
  canvas.text(left, margin + (title ? line : 0), "taken for", scale, faint);
  upward(canvas, margin, top + Math.min(classes * cell, 2 * letter.width), "is", scale, faint);
  shown.forEach((name, i) => {
    const middle = Math.round(i * cell + (cell - letter.height) / 2);
    const width = name.length * letter.width;
    canvas.text(left - letter.width - width, top + middle, name, scale, ink);
    upward(canvas, left + middle, top - letter.width, name, scale, ink);
  });
  for (let row = 0; row < classes; row++) {
    const shares = sharesOf(counts, row, classes);
    shares.forEach((share, column) => {
      const [x, y] = [left + column * cell, top + row * cell];
      const gap = cell >= 8 ? 1 : 0;
      canvas.fill(x, y, cell - gap, cell - gap, colors(share));
      const percent = Math.round(100 * share);
      if (numbered && percent > 0) number(canvas, x, y, cell, percent, scale, colors(share));
    });
  }
  return canvas.picture;
}

interface Layout {
  /** Side of a cell in pixels. */
  readonly cell: number;
  /** Side of a letter's dot in pixels. */
  readonly scale: number;
  readonly named: boolean;
  readonly numbered: boolean;
}

function layoutOf(classes: number): Layout {
  if (classes <= 30) return { cell: 40, scale: 2, named: true, numbered: true };
  if (classes <= 75) return { cell: 16, scale: 2, named: true, numbered: false };
  return { cell: Math.max(2, Math.floor(1200 / classes)), scale: 2, named: false, numbered: false };
}

/** The row's counts by its sum; all 0 where the class has no pictures. */
function sharesOf(counts: ArrayLike<number>, row: number, classes: number): readonly number[] {
  const own = Array.from({ length: classes }, (_, i) => counts[row * classes + i] as number);
  const sum = own.reduce((a, b) => a + b, 0);
  return own.map((count) => (sum > 0 ? count / sum : 0));
}

/** A number in the middle of a cell, in what can be read on its colour. */
function number(
  canvas: Canvas,
  left: number,
  top: number,
  cell: number,
  value: number,
  scale: number,
  [red, green, blue]: readonly [number, number, number],
): void {
  const text = String(value);
  const width = (text.length * glyphAdvance - 1) * scale;
  const x = Math.round(left + (cell - width) / 2);
  const y = Math.round(top + (cell - glyphHeight * scale) / 2);
  const isLight = 0.299 * red + 0.587 * green + 0.114 * blue > 128;
  canvas.text(x, y, text, scale, isLight ? ink : background);
}

/** Text that is read from below, with its first letter at `bottom`. */
function upward(
  canvas: Canvas,
  left: number,
  bottom: number,
  text: string,
  scale: number,
  ink: readonly [number, number, number],
): void {
  [...text].forEach((letter, i) => {
    for (const [column, row] of glyphDots(letter)) {
      const y = bottom - (i * glyphAdvance + column + 1) * scale;
      canvas.fill(left + row * scale, y, scale, scale, ink);
    }
  });
}

function shortened(name: string): string {
  return name.length <= longestName ? name : `${name.slice(0, longestName - 2)}..`;
}

function assertCounts(counts: ArrayLike<number>, classes: number): void {
  if (classes < 1 || classes > mostClasses) {
    throw new RangeError(`names: expected 1 to ${mostClasses} classes, got ${classes}`);
  }
  if (counts.length !== classes * classes) {
    throw new RangeError(
      `counts: expected ${classes} rows of ${classes} counts, got ${counts.length} in all`,
    );
  }
}
