import { resizePositions, type VisionTransformer } from "@dino/backbones/vit";
import { type LoadReport, loadWeights } from "@dino/checkpoint";
import type { Params } from "@dino/ops";
import type { Trainer } from "@dino/trainer";
import * as tf from "@tensorflow/tfjs-core";
import type { Console } from "../console/console.ts";
import { describeReport } from "../console/load-report.ts";
import { RunError } from "../errors.ts";
import { openWeights } from "../model/weights.ts";
import type { Settings } from "../settings/settings.ts";

const prefix = "backbone.";

/** Puts the backbone that a path means in place of both networks' own, and says what was done to it. */
export async function beginWith(
  trainer: Trainer,
  path: string,
  { allowPartial, interpolatePositions }: Pick<Settings, "allowPartial" | "interpolatePositions">,
  screen: Console,
): Promise<void> {
  const backbone = trainer.network.backbone as VisionTransformer;
  const { heads } = backbone;
  const { checkpoint, architecture, file } = await openWeights(path, { numHeads: heads, screen });
  if (architecture.heads !== heads) {
    throw new RunError(
      `${file}: expected a backbone of ${heads} heads (--num-heads), got one of ${architecture.heads}`,
    );
  }
  const tell = (report: LoadReport) => {
    screen.note(`${file}: begun with ${report.loaded} tensors of it`);
    for (const line of describeReport(report)) screen.note(line);
  };
  const params = await loadWeights(backbone, checkpoint, {
    allowPartial,
    onReport: tell,
    ...(interpolatePositions && { reshape: (name, value) => resized(backbone, name, value) }),
  });
  const replaced = (own: Params): Params =>
    Object.fromEntries(
      Object.entries(own).map(([name, value]) => {
        const given = name.startsWith(prefix) ? params[name.slice(prefix.length)] : undefined;
        return [name, tf.clone(given ?? value)];
      }),
    );
  // The trainer frees the state that it had, so the new one needs tensors of its own.
  const { student, teacher, ...rest } = trainer.state();
  trainer.restore({ ...copied(rest), student: replaced(student), teacher: replaced(teacher) });
  tf.dispose(params);
}

/** Positions for the pictures of this backbone; nothing of anything else. */
function resized(
  { imageSize, patchSize }: VisionTransformer,
  name: string,
  value: tf.Tensor,
): tf.Tensor | undefined {
  if (name !== "pos_embed" || value.rank !== 3) return undefined;
  return resizePositions(value as tf.Tensor3D, { imageSize, patchSize });
}

/** A tree of tensors and numbers, with tensors of its own. */
function copied<T>(tree: T): T {
  if (tree instanceof tf.Tensor) return tf.clone(tree) as T;
  if (typeof tree !== "object" || tree === null) return tree;
  return Object.fromEntries(
    Object.entries(tree).map(([name, value]) => [name, copied(value)]),
  ) as T;
}
