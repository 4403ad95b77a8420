import type { Params } from "@dino/ops";
import type * as tf from "@tensorflow/tfjs-core";

/** A tree of tensors and numbers. */
export type Tree = { readonly [name: string]: tf.Tensor | number | Tree };

/** Everything that a run remembers: a checkpoint is this tree and nothing else. */
export type TrainerState = {
  /** Steps done. */
  readonly step: number;
  readonly student: Params;
  readonly teacher: Params;
  readonly optimizer: Tree;
  readonly loss: Tree;
};

/** A tree laid flat: names joined by dots. */
export interface FlatState {
  readonly tensors: Readonly<Record<string, tf.Tensor>>;
  readonly numbers: Readonly<Record<string, number>>;
}

export function flattenState(state: Tree): FlatState {
  const tensors: Record<string, tf.Tensor> = {};
  const numbers: Record<string, number> = {};
  const visit = (tree: Tree, prefix: string) => {
    for (const [name, value] of Object.entries(tree)) {
      if (typeof value === "number") numbers[prefix + name] = value;
      else if (isTensor(value)) tensors[prefix + name] = value;
      else visit(value, `${prefix + name}.`);
    }
  };
  visit(state, "");
  return { tensors, numbers };
}

/**
 * The state that was laid flat. The optimizer's tables and the loss's entries are one level
 * deep; what follows is one name, which may itself hold dots.
 */
export function unflattenState({ tensors, numbers }: FlatState): TrainerState {
  const { step } = numbers;
  if (step === undefined || !Number.isSafeInteger(step)) {
    throw new Error(`step: expected a whole number in the state, got ${step}`);
  }
  const all: [string, tf.Tensor | number][] = [
    ...Object.entries(tensors),
    ...Object.entries(numbers),
  ];
  const below = <T extends tf.Tensor | number>(prefix: string) =>
    Object.fromEntries(
      all
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, value]) => [name.slice(prefix.length), value as T]),
    );
  const optimizer: Record<string, Tree> = {};
  for (const [name, value] of Object.entries(below("optimizer."))) {
    const dot = name.indexOf(".");
    const table = name.slice(0, dot);
    optimizer[table] = { ...optimizer[table], [name.slice(dot + 1)]: value };
  }
  return {
    step,
    student: below<tf.Tensor>("student."),
    teacher: below<tf.Tensor>("teacher."),
    optimizer,
    loss: below("loss."),
  };
}

function isTensor(value: tf.Tensor | Tree): value is tf.Tensor {
  return "dataId" in value && "dtype" in value;
}
