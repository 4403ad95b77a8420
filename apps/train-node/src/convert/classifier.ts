import {
  type Checkpoint,
  type NamedWeights,
  type Saveable,
  selectWeights,
  storedTensors,
} from "@dino/checkpoint";

/** A linear classifier of the reference's, as its evaluation saves it. */
export interface Classifier {
  /** `weight` of shape `[labels, features]` and `bias` of `[labels]`. */
  readonly weights: NamedWeights;
  /** What lies beside it: epoch, best accuracy. */
  readonly data: { readonly [key: string]: Saveable };
}

/** The classifier in a checkpoint that has one and no backbone. */
export function classifierIn(checkpoint: Checkpoint): Classifier | undefined {
  const { tensors, data, metadata } = checkpoint;
  const weight = [...tensors.keys()].find((name) => /(^|\.)linear\.weight$/.test(name));
  const bias = weight?.replace(/weight$/, "bias");
  const shape = tensors.get(weight ?? "")?.shape;
  if (bias === undefined || shape?.length !== 2 || !tensors.has(bias)) return undefined;
  const module = { parameterShapes: { weight: shape, bias: [shape[0] as number] } };
  const weights = selectWeights(module, checkpoint);
  const kept = ["epoch", "best_acc"].flatMap((key): [string, Saveable][] => {
    const value = data[key] ?? numberIn(metadata[key]);
    return typeof value === "number" ? [[key, value]] : [];
  });
  return { weights, data: Object.fromEntries(kept) };
}

/** As the reference's evaluation loads it again. */
export function classifierFile({ weights, data }: Classifier): Saveable {
  const named = [...storedTensors(weights)].map(
    ([name, tensor]) => [`module.linear.${name}`, tensor] as const,
  );
  return { ...data, state_dict: new Map(named) };
}

function numberIn(text: string | undefined): number | undefined {
  const value = Number(text);
  return text === undefined || text === "" || Number.isNaN(value) ? undefined : value;
}
