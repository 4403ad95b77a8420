import type { Backbone } from "@dino/backbones";
import { resizePositions, type VisionTransformer } from "@dino/backbones/vit";
import { type LoadReport, loadWeights } from "@dino/checkpoint";
import type { Params } from "@dino/ops";
import type { Trainer } from "@dino/trainer";
import * as tf from "@tensorflow/tfjs-core";
import type { Console } from "../console/console.ts";
import { describeReport } from "../console/load-report.ts";
import { RunError } from "../errors.ts";
import { type Architecture, isResnet } from "../model/architecture.ts";
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
  const { backbone } = trainer.network;
  const { heads } = backbone as Partial<VisionTransformer>;
  const { checkpoint, architecture, file } = await openWeights(path, { numHeads: heads, screen });
  assertSameKind(backbone, architecture, file);
  const tell = (report: LoadReport) => {
    screen.note(`${file}: begun with ${report.loaded} tensors of it`);
    for (const line of describeReport(report)) screen.note(line);
  };
  const params = await loadWeights(backbone, checkpoint, {
    allowPartial,
    onReport: tell,
    ...(interpolatePositions && {
      reshape: (name, value) => resized(backbone as VisionTransformer, name, value),
    }),
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

/** Throws where names and shapes would not tell what is wrong, or only by a long list. */
function assertSameKind(
  backbone: Backbone & { readonly heads?: number },
  given: Architecture,
  file: string,
): void {
  const { name, heads } = backbone;
  const what = isResnet(given) ? given.resnet : "a Vision Transformer";
  const wanted = heads === undefined ? name : "a Vision Transformer";
  if (what !== wanted) throw new RunError(`${file}: expected ${wanted} (--arch), got ${what}`);
  if (isResnet(given) || given.heads === heads) return;
  throw new RunError(
    `${file}: expected a backbone of ${heads} heads (--num-heads), got one of ${given.heads}`,
  );
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
