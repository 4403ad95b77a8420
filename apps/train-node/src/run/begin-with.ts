import type { Params } from "@dino/ops";
import type { Trainer } from "@dino/trainer";
import * as tf from "@tensorflow/tfjs-core";
import { RunError } from "../errors.ts";
import { loadModel } from "../model/weights.ts";

const prefix = "backbone.";

/** Puts the backbone of a file or run in place of both networks' own. */
export async function beginWith(trainer: Trainer, path: string): Promise<void> {
  const { heads } = trainer.network.backbone as { readonly heads?: number };
  const { backbone, params } = await loadModel(path, { numHeads: heads });
  const { parameterShapes: shapes } = trainer.network.backbone;
  for (const [name, shape] of Object.entries(shapes)) {
    const given = backbone.parameterShapes[name]?.join(", ") ?? "none";
    if (given === shape.join(", ")) continue;
    throw new RunError(`${path}: expected ${name} of shape [${shape.join(", ")}], got [${given}]`);
  }
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

/** A tree of tensors and numbers, with tensors of its own. */
function copied<T>(tree: T): T {
  if (tree instanceof tf.Tensor) return tf.clone(tree) as T;
  if (typeof tree !== "object" || tree === null) return tree;
  return Object.fromEntries(
    Object.entries(tree).map(([name, value]) => [name, copied(value)]),
  ) as T;
}
