import { join } from "node:path";
import type { ImageFolder } from "@dino/data/node";
import { evaluateLinear, linearProbe } from "@dino/evaluation";
import * as tf from "@tensorflow/tfjs-core";
import type { Command } from "commander";
import { type Context, command } from "../../command.ts";
import { stoppable } from "../../console/stoppable.ts";
import { count } from "../../console/words.ts";
import { UsageError } from "../../errors.ts";
import { openFeatureCache, withFeatureCache } from "../../features/cache-options.ts";
import { assertPatches } from "../../model/assert-patches.ts";
import { openClassFolder, openClassFolders } from "../../model/class-folders.ts";
import { readClassifier } from "../../probe/classifier-file.ts";
import { probeExtractor } from "../../probe/probe-extractor.ts";
import { type ProbeTask, plainFeatures } from "../../probe/probe-task.ts";
import { runProbe } from "../../probe/run-probe.ts";
import { runSweep } from "../../probe/run-sweep.ts";
import { openVisionTransformer, withWeights } from "../weights-options.ts";
import { classFolders, withClassFolders } from "./class-folders.ts";
import { assertFitsPicture } from "./class-report.ts";
import { reportLinear } from "./linear-report.ts";
import { type LinearFlags, type LinearSettings, linearSettings } from "./linear-settings.ts";
import { withReading } from "./reading-options.ts";

/** `dino eval linear` */
export function linearCommand(context: Context): Command {
  const made = command("linear", "a linear classifier on the features of class folders");
  withWeights(made);
  withClassFolders(made, {
    train: "class folders to train it on",
    test: "class folders to judge it by",
  });
  made
    .option("--n-last-blocks <n>", "blocks whose class tokens are taken (4; 1 from width 768 on)")
    .option(
      "--avgpool-patchtokens <true|false>",
      "take the mean of the last block's patches too (false; true from width 768 on)",
    )
    .option("--epochs <n>", "times that the pictures are gone through (100)")
    .option(
      "--lr <number>",
      "learning rate for batches of 256, several with commas for --sweep (0.001)",
    )
    .option("--val-freq <n>", "epochs from one judgement to the next (1)")
    .option("--num-labels <n>", "classes of the classifier (those of --train)")
    .option("--seed <n>", "fixes order, views and first weights (0)");
  withReading(made, { batchSize });
  made
    .option("--output-dir <folder>", "where checkpoint, log and classifier go", "linear-probe")
    .option(
      "--sweep",
      "find the learning rate on features that are made once, without augmentation",
    )
    .option("--held-out <share>", "part of the training pictures that decides a sweep (0.1)")
    .option("--evaluate", "judge a classifier that there is, and train none")
    .option("--linear-weights <file>", "that classifier: safetensors or .pth (in --output-dir)");
  withFeatureCache(made);
  return made
    .option("--classes", "show the figures of each class")
    .option("--confusion <file.png>", "draw what each class was taken for")
    .option("--json", 'print one line of JSON, {"top1","top5","bestTop1",..}, in percent')
    .addHelpText(
      "after",
      `
Pictures are cut and mirrored anew in every epoch, as in the reference. With --sweep they are not:
their features are made once, classifiers of many learning rates are trained on them together, a part
of the training pictures decides between these, and the best is trained on all.

A probe that was stopped goes on from where it was when the command is given again.

Examples:
  dino eval linear --weights runs/my-run --data-path photos --sweep
  dino eval linear --weights dino_vits16.safetensors --data-path imagenet --lr 0.001 --epochs 100
  dino eval linear --weights dino_vits16.pth --data-path imagenet --evaluate --linear-weights dino_deitsmall16_linearweights.pth`,
    )
    .action((flags: LinearFlags) => evalLinear(context, flags));
}

const batchSize = 128;
async function evalLinear(context: Context, flags: LinearFlags): Promise<void> {
  const settings = linearSettings(flags);
  const words = {
    stopping: "stopping",
    stopped: `stopped: what is done is kept in ${flags.outputDir}, and the same command goes on from there`,
  };
  await stoppable(context, words, async (signal) => {
    if (flags.evaluate) await evaluateOnly(context, flags, settings, signal);
    else await train(context, flags, settings, signal);
  });
}

async function train(
  context: Context,
  flags: LinearFlags,
  settings: LinearSettings,
  signal: AbortSignal,
): Promise<void> {
  const { train, test } = await openClassFolders(classFolders(flags), signal);
  if (test === undefined) {
    throw new UsageError("--test: expected another folder to judge the classifier by, got none");
  }
  const classes = labelsOf(train, settings.labels);
  if (flags.confusion !== undefined) assertFitsPicture(train.classes);
  const task = await openTask(context, flags, settings, signal);
  const { epochs, validateEvery, seed, rates, heldOut } = settings;
  const scaled = rates.map((rate) => (rate * task.batchSize) / 256);
  const options = { output: flags.outputDir, classes, epochs, validateEvery, seed };
  const folders = { train, test };
  const [learningRate] = scaled as [number];
  const trained = flags.sweep
    ? await runSweep(task, folders, { ...options, learningRates: scaled, heldOut })
    : await runProbe(task, folders, { ...options, learningRate });
  const { figures, answers } = trained;
  const { extractor } = task;
  await reportLinear(context, flags, {
    ...{ extractor, classes: train.classes, answers, figures, trained },
  });
}

/** Judges a classifier that there is. */
async function evaluateOnly(
  context: Context,
  flags: LinearFlags,
  settings: LinearSettings,
  signal: AbortSignal,
): Promise<void> {
  const file = flags.linearWeights ?? join(flags.outputDir, "classifier.safetensors");
  const test = await openJudged(flags, signal);
  const classifier = await readClassifier(file);
  const { classes, dim } = classifier;
  if (labelsOf(test, settings.labels) > classes) {
    throw new UsageError(
      `--test: expected at most ${count(classes)} classes, those of ${file}, got ${count(test.classes.length)}`,
    );
  }
  const task = await openTask(context, flags, settings, signal);
  const { embedDim, blocks, averagePool } = task.extractor;
  if (dim !== embedDim) {
    throw new UsageError(
      `${file}: expected a classifier of ${embedDim} values (--n-last-blocks ${blocks}, ` +
        `--avgpool-patchtokens ${averagePool}), got one of ${dim}`,
    );
  }
  const features = await plainFeatures(task, test);
  const probe = linearProbe({ dim, classes });
  const state = probe.from(classifier);
  try {
    const [figures] = await evaluateLinear(probe, state, features, { signal });
    if (!figures) throw new Error("expected the figures of one classifier, got none");
    const { extractor } = task;
    const answers = features.labels;
    await reportLinear(context, flags, { extractor, classes: test.classes, answers, figures });
  } finally {
    tf.dispose(state);
  }
}

/** The pictures to judge by, with the classes of the training pictures where these are told. */
async function openJudged(flags: LinearFlags, signal: AbortSignal): Promise<ImageFolder> {
  if (flags.dataPath === undefined && flags.train === undefined && flags.test !== undefined) {
    return openClassFolder(flags.test, signal);
  }
  const { train, test } = await openClassFolders(classFolders(flags), signal);
  return test ?? train;
}

/** How many classes a classifier has. */
function labelsOf({ path, classes }: ImageFolder, asked: number | undefined): number {
  if (asked === undefined || asked >= classes.length) return asked ?? classes.length;
  throw new UsageError(
    `--num-labels: expected at least ${classes.length}, the classes of ${path}, got ${asked}`,
  );
}

async function openTask(
  context: Context,
  flags: LinearFlags,
  { blocks, averagePool, reading }: LinearSettings,
  signal: AbortSignal,
): Promise<ProbeTask> {
  const { screen } = context;
  const model = await openVisionTransformer(context, flags);
  const { backbone } = model;
  const size = reading.size ?? backbone.imageSize;
  assertPatches(size, backbone.patchSize);
  const extractor = probeExtractor(backbone, { blocks, averagePool });
  const mean = extractor.averagePool ? " and the mean of its patches" : "";
  screen.note(
    `features: class tokens of ${extractor.blocks} of ${backbone.depth} blocks${mean}, ${extractor.embedDim} values`,
  );
  return {
    ...{ screen, model, extractor, size, signal, workers: reading.workers },
    batchSize: reading.batchSize ?? batchSize,
    cache: openFeatureCache(context, flags, model),
  };
}
