import { type Checkpoint, CheckpointError, type TensorData } from "@dino/checkpoint";
import { openCheckpoint, writePytorch, writeSafetensors } from "@dino/checkpoint/node";
import type { LinearClassifier } from "@dino/evaluation";

/**
 * Reads a linear classifier: the reference's `checkpoint.pth.tar` and published linear weights, or a
 * safetensors file, with any prefix before `linear.weight` and `linear.bias`.
 */
export async function readClassifier(path: string): Promise<LinearClassifier> {
  const file = await openCheckpoint(path);
  const name = nameOf(file);
  const biasName = `${name.slice(0, -"weight".length)}bias`;
  const [classes, dim] = file.tensors.get(name)?.shape ?? [];
  const biasShape = file.tensors.get(biasName)?.shape;
  if (classes === undefined || dim === undefined || biasShape?.join() !== String(classes)) {
    throw new CheckpointError(
      `${path}: expected ${name} [classes, values] and ${biasName} [classes], ` +
        `got [${file.tensors.get(name)?.shape.join(", ")}] and [${biasShape?.join(", ") ?? "none"}]`,
    );
  }
  const values = async (tensor: string) =>
    Float32Array.from((await file.read(tensor)).data as ArrayLike<number>, Number);
  return { classes, dim, weight: await values(name), bias: await values(biasName) };
}

/** The one tensor called `linear.weight`, whatever stands before it. */
function nameOf({ name, tensors }: Checkpoint): string {
  const found = [...tensors.keys()].filter((tensor) => /(^|\.)linear\.weight$/.test(tensor));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new CheckpointError(
    `${name}: expected a linear classifier (linear.weight, linear.bias), ` +
      `got ${found.length === 0 ? `${tensors.size} other tensors` : found.join(", ")}`,
  );
}

/** Writes it as safetensors, under the names that it has in the reference. */
export async function writeClassifier(
  path: string,
  classifier: LinearClassifier,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const { weight, bias } = tensorsOf(classifier);
  await writeSafetensors(path, { "linear.weight": weight, "linear.bias": bias }, metadata);
}

/** Writes it as the reference does, for its `load_state_dict` of a distributed module. */
export async function writePytorchClassifier(
  path: string,
  classifier: LinearClassifier,
  { epoch, bestTop1 }: { readonly epoch: number; readonly bestTop1: number },
): Promise<void> {
  const { weight, bias } = tensorsOf(classifier);
  await writePytorch(path, {
    epoch,
    state_dict: new Map([
      ["module.linear.weight", weight],
      ["module.linear.bias", bias],
    ]),
    best_acc: bestTop1,
  });
}

function tensorsOf({ classes, dim, weight, bias }: LinearClassifier): {
  readonly weight: TensorData;
  readonly bias: TensorData;
} {
  return {
    weight: { dtype: "F32", shape: [classes, dim], data: weight },
    bias: { dtype: "F32", shape: [classes], data: bias },
  };
}
