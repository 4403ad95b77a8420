import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Pixels } from "@dino/ops";
import { contactSheet, encodePng, lineChart, type Series } from "@dino/visualization";

/** One line of `metrics.jsonl`: a step's figures, or an evaluation's. */
interface Row {
  readonly step: number;
  readonly loss?: number;
  readonly targetEntropy?: number;
  readonly divergence?: number;
  readonly knn?: Readonly<Record<string, number>>;
}

/** Draws a run's figures into `curves.png` in its folder: the loss and its two terms, and k-NN if it was measured. */
export async function writeCurves(run: string): Promise<string | undefined> {
  const metrics = join(run, "metrics.jsonl");
  if (!existsSync(metrics)) return undefined;
  const lines = readFileSync(metrics, "utf8").split("\n").filter(Boolean);
  const rows = lines.map((line) => JSON.parse(line) as Row);
  const charts = [lossChart(rows), knnChart(rows)].filter((chart) => chart !== undefined);
  if (charts.length === 0) return undefined;
  const file = join(run, "curves.png");
  await writeFile(file, await encodePng(contactSheet(charts, { columns: 1 })));
  return file;
}

const size = { width: 800, height: 360 };

function lossChart(rows: readonly Row[]): Pixels | undefined {
  const steps = rows.filter(({ loss }) => loss !== undefined);
  if (steps.length === 0) return undefined;
  const series = (["loss", "targetEntropy", "divergence"] as const).map((name) => ({
    name: { loss: "loss", targetEntropy: "target entropy", divergence: "divergence" }[name],
    x: steps.map(({ step }) => step),
    y: steps.map((row) => row[name] as number),
  }));
  return lineChart({ title: "training", xLabel: "step", yLabel: "nats", series, ...size });
}

function knnChart(rows: readonly Row[]): Pixels | undefined {
  const measured = rows.filter(({ knn }) => knn !== undefined);
  const neighbours = Object.keys(measured[0]?.knn ?? {});
  if (neighbours.length === 0) return undefined;
  const series: Series[] = neighbours.map((k) => ({
    name: `k = ${k}`,
    x: measured.map(({ step }) => step),
    y: measured.map(({ knn }) => knn?.[k] as number),
  }));
  return lineChart({ title: "k-NN", xLabel: "step", yLabel: "percent", series, ...size });
}
