import type { LinearFigures } from "@dino/evaluation";
import type { Context } from "../../command.ts";
import { jsonLine } from "../../console/console.ts";
import { count } from "../../console/words.ts";
import type { ProbeExtractor } from "../../probe/probe-extractor.ts";
import type { ProbeResult } from "../../probe/probe-task.ts";
import type { SweptProbe } from "../../probe/run-sweep.ts";
import { classReport, writeConfusion } from "./class-report.ts";
import type { LinearFlags } from "./linear-settings.ts";

/** What is told of a classifier. */
export interface LinearReport {
  readonly extractor: ProbeExtractor;
  /** Classes by number, as far as the pictures have them. */
  readonly classes: readonly string[];
  /** The class of each picture. */
  readonly answers: Int32Array;
  readonly figures: LinearFigures;
  /** How it was trained, where it was. */
  readonly trained?: ProbeResult | SweptProbe;
}

/** Prints the figures of a classifier, and draws what the flags ask for. */
export async function reportLinear(
  { screen }: Context,
  flags: LinearFlags,
  { extractor, classes, answers, figures, trained }: LinearReport,
): Promise<void> {
  const { top1, top5, loss, predicted } = figures;
  // A classifier may know classes that no picture is of.
  const most = predicted.reduce((a, b) => Math.max(a, b), classes.length - 1);
  const names = Array.from({ length: most + 1 }, (_, i) => classes[i] ?? `class ${i}`);
  if (flags.confusion !== undefined) {
    const title = `linear: ${top1.toFixed(1)} % of ${count(answers.length)}`;
    await writeConfusion(flags.confusion, { names, answers, predicted, title });
    screen.note(flags.confusion);
  }
  const report = classReport({ names, answers, predicted: { linear: predicted } });
  if (flags.json) {
    const { blocks, averagePool, embedDim: dim } = extractor;
    const how = trained && {
      ...{ bestTop1: trained.bestTop1, epochs: trained.epochs, learningRate: trained.learningRate },
      output: flags.outputDir,
      ...("sweep" in trained && { sweep: trained.sweep }),
    };
    const features = { blocks, averagePool, dim };
    screen.result(jsonLine({ top1, top5, loss, ...how, features, classes: report.document }));
    return;
  }
  const five = top5 === undefined ? "" : `, top-5 ${top5.toFixed(2)} %`;
  const best = trained ? ` (best ${trained.bestTop1.toFixed(2)} %)` : "";
  screen.result(`linear: top-1 ${top1.toFixed(2)} %${best}${five}`);
  if (flags.classes) for (const line of report.lines) screen.result(line);
}
