import type { Command } from "commander";
import { type Context, command } from "../command.ts";
import { copyDetectionCommand } from "./eval/copy-detection.ts";
import { jaccardCommand } from "./eval/jaccard.ts";
import { knnCommand } from "./eval/knn.ts";
import { linearCommand } from "./eval/linear.ts";
import { retrievalCommand } from "./eval/retrieval.ts";
import { videoSegmentationCommand } from "./eval/video-segmentation.ts";

const commands = [
  knnCommand,
  linearCommand,
  retrievalCommand,
  copyDetectionCommand,
  videoSegmentationCommand,
  jaccardCommand,
];

/** `dino eval`, with a command for each evaluation. */
export function evalCommand(context: Context): Command {
  const evaluations = command("eval", "how good the features of a model are").helpCommand(false);
  for (const make of commands) evaluations.addCommand(make(context));
  return evaluations;
}
