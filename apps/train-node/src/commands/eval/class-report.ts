import { dirname } from "node:path";
import { type ClassFigures, classFigures, confusion } from "@dino/evaluation";
import { makeFolder } from "@dino/trainer/node";
import { confusionChart } from "@dino/visualization";
import { count } from "../../console/words.ts";
import { UsageError } from "../../errors.ts";
import { writePng } from "../../model/write-pictures.ts";

/** What pictures are, and what they were taken for, by what decided. */
export interface Answers {
  readonly names: readonly string[];
  /** The class of each picture. */
  readonly answers: Int32Array;
  /** What each was taken for, by the classifier's name. */
  readonly predicted: Readonly<Record<string, Int32Array>>;
}

export interface ClassReport {
  /** For people: a line a class. */
  readonly lines: readonly string[];
  /** For programs: `[{ name, count, recall: { classifier: percent }, precision: { .. } }]`. */
  readonly document: readonly object[];
}

/** How well each class is told from the others. */
export function classReport({ names, answers, predicted }: Answers): ClassReport {
  const figures = Object.entries(predicted).map(
    ([name, taken]) => [name, classFigures(confusion(answers, taken, names.length))] as const,
  );
  const of = (label: number, figure: "recall" | "precision") =>
    Object.fromEntries(figures.map(([name, all]) => [name, (all[label] as ClassFigures)[figure]]));
  const counts = figures[0]?.[1].map(({ count }) => count) ?? [];
  const width = Math.max(0, ...names.map((name) => name.length));
  return {
    lines: names.map((name, label) => {
      const recalls = Object.entries(of(label, "recall")).map(
        ([classifier, percent]) => `${classifier}: ${percentOf(percent)}`,
      );
      return `${name.padEnd(width)}  ${count(counts[label] ?? 0)} pictures, right ${recalls.join(", ")}`;
    }),
    document: names.map((name, label) => ({
      name,
      count: counts[label] ?? 0,
      recall: of(label, "recall"),
      precision: of(label, "precision"),
    })),
  };
}

const percentOf = (percent: number): string =>
  Number.isNaN(percent) ? "none to judge" : `${percent.toFixed(1)} %`;

export interface ConfusionFile {
  readonly names: readonly string[];
  readonly answers: Int32Array;
  readonly predicted: Int32Array;
  readonly title: string;
}

/** Draws what each class was taken for to a PNG file. */
export async function writeConfusion(
  file: string,
  { names, answers, predicted, title }: ConfusionFile,
): Promise<void> {
  makeFolder(dirname(file));
  const { counts } = confusion(answers, predicted, names.length);
  await writePng(file, confusionChart(counts, { names, title }));
}

/** Throws a `UsageError` where there are more classes than such a picture can show. */
export function assertFitsPicture(names: readonly string[]): void {
  if (names.length <= mostClasses) return;
  throw new UsageError(
    `--confusion: expected at most ${count(mostClasses)} classes, got ${count(names.length)}`,
  );
}

const mostClasses = 2000;
