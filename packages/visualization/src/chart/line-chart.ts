import type { Pixels } from "@dino/ops";
import { type Color, color, paletteColor } from "../color.ts";
import { type Canvas, createCanvas, type Point } from "./canvas.ts";
import { glyphAdvance, glyphHeight } from "./glyphs.ts";
import { niceRange, type Ticks, ticks, wideRange } from "./ticks.ts";

/** One line of a chart. */
export interface Series {
  readonly name: string;
  /** Heights; where one is not finite the line is broken. */
  readonly y: ArrayLike<number>;
  /** Places from left to right, as many as heights; 0, 1, 2 and so on when absent. */
  readonly x?: ArrayLike<number>;
  readonly color?: Color;
}

export interface LineChartOptions {
  readonly series: readonly Series[];
  readonly title?: string;
  readonly xLabel?: string;
  readonly yLabel?: string;
  readonly width?: number;
  readonly height?: number;
}

const ink = color("24292f");
const faint = color("6e7781");
const rule = color("e4e7eb");
const axis = color("9aa3ad");
const background = color("ffffff");
/** Of a line of text, in heights of a letter. */
const rowHeight = 1.8;

/**
 * Lines over two axes with round numbers, a title and, for several lines, their names: the curves
 * of a training run. Text is of plain ASCII.
 */
export function lineChart({
  series,
  title = "",
  xLabel = "",
  yLabel = "",
  width = 720,
  height = 420,
}: LineChartOptions): Pixels {
  assertChart(series, width, height);
  const scale = width >= 480 && height >= 280 ? 2 : 1;
  const letter = { width: glyphAdvance * scale, height: glyphHeight * scale };
  const lines = series.map(finitePoints);
  const all = lines.flat(2);

  const [xLow, xHigh] = rangeOf(all.map(([x]) => x));
  const yCount = Math.max(2, Math.round(height / (letter.height * 4.5)));
  const [yLow, yHigh] = niceRange(...rangeOf(all.map(([, y]) => y)), yCount);
  const yTicks = ticks(yLow, yHigh, yCount);

  const margin = 8 * scale;
  const names = layNames(series, width - 2 * margin, scale);
  const headRows = (title ? 1 : 0) + names.rows.length + (yLabel ? 1 : 0);
  const widest = Math.max(...yTicks.labels.map((label) => label.length));
  const plot = {
    left: margin + widest * letter.width + 3 * scale,
    right: width - margin - letter.width,
    top: Math.round(margin + letter.height * (0.5 + rowHeight * headRows)),
    bottom: height - margin - letter.height * (xLabel ? 3.1 : 1.5),
  };
  const xCount = Math.max(2, Math.floor((plot.right - plot.left) / (letter.width * 6.5)));
  const xTicks = ticks(xLow, xHigh, xCount);
  const place = ([x, y]: Point): Point => [
    plot.left + ((x - xLow) / (xHigh - xLow)) * (plot.right - plot.left),
    plot.bottom - ((y - yLow) / (yHigh - yLow)) * (plot.bottom - plot.top),
  ];

  const canvas = createCanvas(width, height, background);
  drawHead(canvas, { title, yLabel, names, scale, margin });
  drawYAxis(canvas, yTicks, (y) => place([xLow, y])[1], plot, scale);
  drawXAxis(canvas, xTicks, (x) => place([x, yLow])[0], plot, scale);
  if (xLabel) {
    const center = (plot.left + plot.right - xLabel.length * letter.width) / 2;
    const top = height - margin - letter.height;
    canvas.text(Math.round(center), top, xLabel, scale, faint);
  }
  lines.forEach((pieces, i) => {
    for (const piece of pieces) {
      const thickness = (1 + scale / 2) * (piece.length === 1 ? 3 : 1); // a dot, not a speck
      canvas.line(piece.map(place), thickness, colorOf(series, i));
    }
  });
  return canvas.picture;
}

interface Plot {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** A row of names: each with the index of its series and where it starts. */
interface Names {
  readonly rows: readonly (readonly {
    readonly name: string;
    readonly index: number;
    readonly left: number;
  }[])[];
  readonly colors: readonly Color[];
}

/** Names of several lines, in as many rows as they need; a line alone goes by the title. */
function layNames(series: readonly Series[], room: number, scale: number): Names {
  const colors = series.map((_, i) => colorOf(series, i));
  if (series.length < 2) return { rows: [], colors };
  const rows: { name: string; index: number; left: number }[][] = [[]];
  let left = 0;
  series.forEach(({ name }, index) => {
    const needed = (swatch + name.length * glyphAdvance + 12) * scale;
    if (left > 0 && left + needed > room) {
      rows.push([]);
      left = 0;
    }
    rows.at(-1)?.push({ name, index, left });
    left += needed;
  });
  return { rows, colors };
}

/** Dots that the piece of line before a name takes. */
const swatch = 14;

interface HeadOptions {
  readonly title: string;
  readonly yLabel: string;
  readonly names: Names;
  readonly scale: number;
  readonly margin: number;
}

/** What stands above the plot: title, names, and what the vertical axis measures. */
function drawHead(canvas: Canvas, { title, yLabel, names, scale, margin }: HeadOptions): void {
  const row = glyphHeight * scale * rowHeight;
  let top = margin;
  if (title) {
    canvas.text(margin, top, title, scale, ink);
    top += row;
  }
  for (const line of names.rows) {
    for (const { name, index, left } of line) {
      const x = margin + left;
      const y = Math.round(top) + Math.floor((glyphHeight * scale) / 2);
      canvas.fill(
        x,
        y - scale + 1,
        (swatch - 4) * scale,
        scale * 2 - 1,
        names.colors[index] as Color,
      );
      canvas.text(x + swatch * scale, Math.round(top), name, scale, ink);
    }
    top += row;
  }
  if (yLabel) canvas.text(margin, Math.round(top), yLabel, scale, faint);
}

function drawYAxis(
  canvas: Canvas,
  { values, labels }: Ticks,
  place: (y: number) => number,
  { left, right }: Plot,
  scale: number,
): void {
  values.forEach((value, i) => {
    const y = Math.round(place(value));
    const label = labels[i] as string;
    const x = left - (label.length * glyphAdvance + 3) * scale;
    canvas.fill(left, y, Math.round(right) - left, 1, rule);
    canvas.text(x, y - Math.floor((glyphHeight * scale) / 2), label, scale, faint);
  });
}

function drawXAxis(
  canvas: Canvas,
  { values, labels }: Ticks,
  place: (x: number) => number,
  { left, right, bottom }: Plot,
  scale: number,
): void {
  const y = Math.round(bottom);
  canvas.fill(left, y, Math.round(right) - left, 1, axis);
  values.forEach((value, i) => {
    const x = Math.round(place(value));
    const label = labels[i] as string;
    canvas.fill(x, y, 1, 3 * scale, axis);
    const width = (label.length * glyphAdvance - 1) * scale;
    const start = Math.min(x - Math.floor(width / 2), canvas.picture.width - width - scale);
    canvas.text(start, y + 5 * scale, label, scale, faint);
  });
}

function colorOf(series: readonly Series[], index: number): Color {
  return series[index]?.color ?? paletteColor(index);
}

/** The line's pieces: what lies between heights that are not finite. */
function finitePoints({ x, y }: Series): Point[][] {
  const pieces: Point[][] = [[]];
  for (let i = 0; i < y.length; i++) {
    const point: Point = [x ? (x[i] as number) : i, y[i] as number];
    if (point.every((value) => Math.abs(value) < 1e100)) pieces.at(-1)?.push(point);
    else if (pieces.at(-1)?.length) pieces.push([]);
  }
  return pieces.filter((piece) => piece.length > 0);
}

function rangeOf(values: readonly number[]): readonly [number, number] {
  if (values.length === 0) return [0, 1];
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  return wideRange(low, high);
}

function assertChart(series: readonly Series[], width: number, height: number): void {
  const fits = [width, height].every((size) => Number.isInteger(size) && size >= 120);
  if (!fits) {
    throw new RangeError(`chart: expected at least 120 x 120 pixels, got ${width} x ${height}`);
  }
  for (const { name, x, y } of series) {
    if (x && x.length !== y.length) {
      throw new RangeError(
        `series ${name}: expected as many x as y, got ${x.length} x and ${y.length} y`,
      );
    }
  }
}
