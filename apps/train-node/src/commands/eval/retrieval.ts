import {
  type FeatureExtractor,
  multiScale,
  type RetrievalScores,
  retrieval,
} from "@dino/evaluation";
import type { Json } from "@dino/trainer/node";
import type { Command } from "commander";
import { type Context, command } from "../../command.ts";
import { type Console, jsonLine } from "../../console/console.ts";
import { stoppable } from "../../console/stoppable.ts";
import { count } from "../../console/words.ts";
import { UsageError } from "../../errors.ts";
import { type CacheFlags, withFeatureCache } from "../../features/cache-options.ts";
import { featureReader } from "../../features/feature-reader.ts";
import { csvSet } from "../../retrieval/csv-set.ts";
import { boxView, rowView } from "../../retrieval/query-view.ts";
import type { RetrievalSet } from "../../retrieval/retrieval-set.ts";
import { revisitedSet } from "../../retrieval/revisited-set.ts";
import * as kinds from "../../settings/kinds.ts";
import {
  flagValue,
  integers,
  openModel,
  type WeightsFlags,
  withWeights,
} from "../weights-options.ts";

interface RetrievalFlags extends WeightsFlags, CacheFlags {
  readonly dataPath: string;
  readonly dataset?: string;
  readonly groundTruth?: string;
  readonly imsize?: string;
  readonly multiscale?: string;
  readonly cropQueries?: boolean;
  readonly k?: string;
  readonly batchSizePerGpu?: string;
  readonly json?: boolean;
}

/** `dino eval retrieval` */
export function retrievalCommand(context: Context): Command {
  return withFeatureCache(
    withWeights(command("retrieval", "find pictures of the same thing: mAP and mP@k")),
  )
    .requiredOption("--data-path <folder>", "the folder above the data set's, or any of pictures")
    .option("--dataset <name>", "roxford5k or rparis6k (roxford5k, without --ground-truth)")
    .option("--ground-truth <file>", "a CSV file of what is to be found in any folder of pictures")
    .option("--imsize <n>", "length of the pictures' longer side, at most (224)")
    .option("--multiscale <true|false>", "see every picture in three sizes (false)")
    .option("--crop-queries", "search for what is in the queries' boxes, where those are known")
    .option("--k <n,n>", "how many first pictures precision is counted in (1,5,10)")
    .option("--batch-size-per-gpu <n>", "pictures at once, where they are of one size (1)")
    .option(
      "--json",
      'print one line of JSON, {"easy":{"map":..,"precision":{"1":..}},..}, in percent',
    )
    .addHelpText(
      "after",
      `
Revisited Oxford and Paris are expected as DATA/roxford5k/gnd_roxford5k.pkl and
DATA/roxford5k/jpg/*.jpg. For any other folder a CSV file has the columns query,image,relevance:
paths below the folder, and relevant (or easy, hard) or junk.

Examples:
  dino eval retrieval --weights dino_vits16.pth --data-path data --dataset rparis6k --imsize 512 --multiscale 1
  dino eval retrieval --weights runs/my-run --data-path photos --ground-truth photos/same.csv`,
    )
    .action((flags: RetrievalFlags) => evalRetrieval(context, flags));
}

const words = {
  stopping: "stopping",
  stopped: "stopped: the features that were made are kept, and the same command goes on from there",
};

async function evalRetrieval(context: Context, flags: RetrievalFlags): Promise<void> {
  const { screen } = context;
  const side = flagValue("--imsize", flags.imsize, kinds.integer({ min: 1 })) ?? 224;
  const isMultiScale = flagValue("--multiscale", flags.multiscale, kinds.boolean) ?? false;
  const k = flagValue("--k", flags.k, integers) ?? [1, 5, 10];
  const batchSize =
    flagValue("--batch-size-per-gpu", flags.batchSizePerGpu, kinds.integer({ min: 1 })) ?? 1;
  const set = await openSet(flags);
  const { queries, rows, protocols, boxes } = set;
  if (flags.cropQueries && boxes === undefined) {
    throw new UsageError("--crop-queries: expected ground truth with boxes, got some without");
  }
  screen.note(`${count(queries.length)} queries, ${count(rows.length)} pictures to search`);

  await stoppable(context, words, async (signal) => {
    const model = await openModel(context, flags);
    const { backbone } = model;
    const extractor: FeatureExtractor = isMultiScale ? multiScale(backbone) : backbone;
    const kind: Json = isMultiScale ? "output at 1, 0.71, 0.5" : "output";
    const smallest = backbone.patchSize * (isMultiScale ? 2 : 1); // half the size is the smallest
    const features = featureReader(context, flags, model, {
      ...{ extractor, kind, smallest, batchSize, signal },
    });
    const queryView = flags.cropQueries && boxes ? boxView(side, boxes) : rowView(side);
    const asked = await features("queries", queries, queryView);
    const searched = await features("pictures", rows, rowView(side));
    show(screen, flags, await retrieval(asked, searched, protocols, { k, signal }));
  });
}

async function openSet({ dataPath, dataset, groundTruth }: RetrievalFlags): Promise<RetrievalSet> {
  const name = flagValue("--dataset", dataset, kinds.choice(["roxford5k", "rparis6k"]));
  if (groundTruth === undefined) return revisitedSet(dataPath, name ?? "roxford5k");
  if (name === undefined) return csvSet(dataPath, groundTruth);
  throw new UsageError(
    `--ground-truth: expected either it or --dataset ${name}, whose ground truth is its own, got both`,
  );
}

function show(
  screen: Console,
  { json }: RetrievalFlags,
  scores: Readonly<Record<string, RetrievalScores>>,
): void {
  const entries = Object.entries(scores);
  if (json) {
    const protocols = entries.map(([name, { meanAveragePrecision, meanPrecision, queries }]) => {
      const counted = queries.filter((query) => query !== undefined).length;
      return [name, { map: meanAveragePrecision, precision: meanPrecision, queries: counted }];
    });
    screen.result(jsonLine(Object.fromEntries(protocols)));
    return;
  }
  for (const [name, { meanAveragePrecision, meanPrecision }] of entries) {
    const precision = Object.entries(meanPrecision).map(([k, p]) => `mP@${k} ${p.toFixed(2)}`);
    screen.result(`${name}: mAP ${meanAveragePrecision.toFixed(2)}, ${precision.join(", ")} %`);
  }
}
