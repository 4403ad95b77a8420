import type { ImageFolder } from "@dino/data/node";
import { type FeatureSource, type KnnResult, knn, knnLeaveOneOut } from "@dino/evaluation";
import type { Command } from "commander";
import { type Context, command } from "../../command.ts";
import { jsonLine } from "../../console/console.ts";
import { progressLine } from "../../console/progress.ts";
import { stoppable } from "../../console/stoppable.ts";
import { count } from "../../console/words.ts";
import { RunError, UsageError } from "../../errors.ts";
import {
  type CacheFlags,
  noteReused,
  openFeatureCache,
  withFeatureCache,
} from "../../features/cache-options.ts";
import { openFeatureDumps, writeFeatureDumps } from "../../features/feature-dumps.ts";
import { pictureFeatures } from "../../features/picture-features.ts";
import { assertPatches } from "../../model/assert-patches.ts";
import { type KnnTask, knnTask } from "../../model/knn.ts";
import { startEngine } from "../../run/engine.ts";
import * as kinds from "../../settings/kinds.ts";
import {
  flagValue,
  integers,
  openModel,
  type WeightsFlags,
  withWeights,
} from "../weights-options.ts";
import { type ClassFolderFlags, classFolders, withClassFolders } from "./class-folders.ts";
import { assertFitsPicture, classReport, writeConfusion } from "./class-report.ts";
import { type ReadingFlags, readingOf, withReading } from "./reading-options.ts";

interface KnnFlags
  extends Omit<WeightsFlags, "weights">,
    CacheFlags,
    ClassFolderFlags,
    ReadingFlags {
  readonly weights?: string;
  readonly k?: string;
  readonly temperature?: string;
  readonly dumpFeatures?: string;
  readonly loadFeatures?: string;
  readonly classes?: boolean;
  readonly confusion?: string;
  readonly json?: boolean;
}

/** `dino eval knn` */
export function knnCommand(context: Context): Command {
  const made = command("knn", "weighted k-nearest-neighbour classification of class folders");
  withWeights(made, { optional: true });
  withClassFolders(made, {
    train: "class folders to find neighbours in",
    test: "class folders to classify (leave one out of --train)",
  });
  made
    .option("--k <n,n>", "numbers of neighbours (10,20,100,200, as far as there are pictures)")
    .option("--temperature <number>", "how fast a vote falls with distance (0.07)");
  withReading(made, { batchSize: 64 });
  withFeatureCache(made);
  return made
    .option(
      "--dump-features <folder>",
      "write trainfeat.pth, trainlabels.pth, testfeat.pth, testlabels.pth",
    )
    .option("--load-features <folder>", "judge the features in such files, without a model")
    .option("--classes", "show the figures of each class")
    .option(
      "--confusion <file.png>",
      "draw what each class was taken for (20 neighbours, or the first of --k)",
    )
    .option(
      "--json",
      'print one line of JSON, {"top1":{"10":..},"top5":{..},"classes":[..]}, in percent',
    )
    .addHelpText(
      "after",
      "\nExamples:\n  dino eval knn --weights runs/my-run --train photos/train --test photos/test --k 10,20" +
        "\n  dino eval knn --weights dino_vits16.safetensors --data-path imagenet --confusion confusion.png",
    )
    .action((flags: KnnFlags) => evalKnn(context, flags));
}

const words = {
  stopping: "stopping",
  stopped: "stopped: the features that were made are kept, and the same command goes on from there",
};

/** What is judged. */
interface Sets {
  readonly train: FeatureSource;
  /** Nothing where every row of `train` is classified by all the others. */
  readonly test: FeatureSource | undefined;
  readonly names: readonly string[];
}

async function evalKnn(context: Context, flags: KnnFlags): Promise<void> {
  const { screen } = context;
  const asked = flagValue("--k", flags.k, integers);
  const temperature = flagValue("--temperature", flags.temperature, kinds.number({ above: 0 }));
  const judged =
    flags.loadFeatures === undefined ? await ofModel(context, flags, asked) : undefined;
  await stoppable(context, words, async (signal) => {
    const sets = judged ? await judged(signal) : await loaded(context, flags);
    const { train, test, names } = sets;
    if (flags.confusion !== undefined) assertFitsPicture(names);
    if (flags.dumpFeatures !== undefined) {
      for (const file of await writeFeatureDumps(flags.dumpFeatures, sets)) screen.note(file);
    }
    const k = neighbors(asked, test ? train.count : train.count - 1);
    const result = await classify(context, sets, { k, temperature, signal });
    const answers = (test ?? train).labels;
    const report = classReport({ names, answers, predicted: result.predicted });
    if (flags.confusion !== undefined) {
      const shown = k.includes(20) ? 20 : (k[0] as number);
      const predicted = result.predicted[shown] as Int32Array;
      const title = `${shown}-NN: ${result.top1[shown]?.toFixed(1)} % of ${count(answers.length)}`;
      await writeConfusion(flags.confusion, { names, answers, predicted, title });
      screen.note(flags.confusion);
    }
    if (flags.json) {
      const { top1, top5 } = result;
      screen.result(jsonLine({ top1, top5, classes: report.document }));
      return;
    }
    for (const each of k) {
      const [first, five] = [result.top1[each], result.top5[each]];
      screen.result(`${each}-NN: top-1 ${first?.toFixed(2)} %, top-5 ${five?.toFixed(2)} %`);
    }
    if (flags.classes) for (const line of report.lines) screen.result(line);
  });
}

/** Opens the folders, and tells how to have the features of the pictures in them. */
async function ofModel(
  context: Context,
  flags: KnnFlags,
  k: readonly number[] | undefined,
): Promise<(signal: AbortSignal) => Promise<Sets>> {
  const { weights } = flags;
  if (weights === undefined) {
    throw new UsageError("--weights: expected a model (or --load-features), got none");
  }
  const reading = readingOf(flags);
  const task = await knnTask(classFolders(flags));
  neighbors(k, task.largestK);
  return (signal) => extracted(context, { ...flags, weights }, task, { ...reading, signal });
}

async function extracted(
  context: Context,
  flags: KnnFlags & WeightsFlags,
  task: KnnTask,
  { size, ...reading }: ReturnType<typeof readingOf> & { readonly signal: AbortSignal },
): Promise<Sets> {
  const { screen } = context;
  const model = await openModel(context, flags);
  const { backbone, params } = model;
  const side = size ?? backbone.imageSize;
  assertPatches(side, backbone.patchSize);
  const cache = openFeatureCache(context, flags, model);
  const features = async (folder: ImageFolder) => {
    const found = await pictureFeatures(cache, folder, {
      ...{ extractor: backbone, params, kind: "output", size: side, ...reading },
      onProgress: progressLine(screen, `features of ${folder.path}`, "pictures"),
    });
    noteReused(screen, folder.path, found);
    return found.features;
  };
  const train = await features(task.train);
  const test = task.test && (await features(task.test));
  return { train, test, names: task.train.classes };
}

/** Features that were made before, here or by the reference. */
async function loaded({ screen, environment }: Context, flags: KnnFlags): Promise<Sets> {
  const others = ["weights", "train", "test", "dataPath", "dumpFeatures"] as const;
  const other = others.find((name) => flags[name] !== undefined);
  if (other !== undefined) {
    const flag = other.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new UsageError(`--${flag}: expected none beside --load-features`);
  }
  const folder = flags.loadFeatures as string;
  const { line } = await startEngine(flags.backend ?? (environment.DINO_BACKEND || "auto"));
  screen.note(line);
  const { train, test } = await openFeatureDumps(folder);
  if (!test) screen.note(`${folder}: no testfeat.pth: every row is classified by all the others`);
  const largest = [train, test].map((set) => set?.labels.reduce((a, b) => Math.max(a, b), 0) ?? 0);
  const names = Array.from({ length: 1 + Math.max(...largest) }, (_, i) => `class ${i}`);
  return { train, test, names };
}

interface ClassifyOptions {
  readonly k: readonly number[];
  readonly temperature: number | undefined;
  readonly signal: AbortSignal;
}

function classify(
  { screen }: Context,
  { train, test, names }: Sets,
  { k, temperature, signal }: ClassifyOptions,
): Promise<KnnResult> {
  const options = {
    k,
    classes: names.length,
    signal,
    ...(temperature !== undefined && { temperature }),
    onProgress: progressLine(
      screen,
      `k-NN of ${count((test ?? train).count)} in ${count(train.count)}`,
    ),
  };
  return test ? knn(train, test, options) : knnLeaveOneOut(train, options);
}

/** The numbers that are asked for, or the reference's as far as there are pictures. */
function neighbors(asked: readonly number[] | undefined, largest: number): readonly number[] {
  if (asked === undefined) {
    if (largest < 1) throw new RunError("expected two pictures at least, got one");
    const fitting = [10, 20, 100, 200].filter((k) => k <= largest);
    return fitting.length > 0 ? fitting : [largest];
  }
  const most = Math.max(...asked);
  if (most <= largest) return asked;
  throw new UsageError(
    `--k: expected at most ${largest}, the pictures to choose from, got ${most}`,
  );
}
