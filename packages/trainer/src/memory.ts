import type { Crops, Network } from "@dino/backbones";

/** Copies of the parameters in a step: two networks, two moments, gradients and what replaces them. */
const copiesOfParameters = 9;
/** Of the prototypes' logits, with their targets, probabilities and gradients. */
const copiesOfLogits = 6;
/** What may be taken of the backend's memory: the rest is fragments. */
const share = 0.75;

/** The most pictures whose gradients fit into `memoryBytes` at once; all of them without a limit. */
export function fittingMicroBatch(
  network: Network,
  crops: Crops,
  batch: number,
  memoryBytes: number = Number.POSITIVE_INFINITY,
): number {
  const parameters = Object.values(network.parameterShapes).reduce(
    (sum, shape) => sum + shape.reduce((a, b) => a * b, 1),
    0,
  );
  const free = share * memoryBytes - 4 * copiesOfParameters * parameters;
  return Math.max(1, Math.min(batch, Math.floor(free / bytesPerPicture(network, crops, batch))));
}

/** About what the backward pass of one picture holds. */
export function bytesPerPicture(network: Network, crops: Crops, batch: number): number {
  const floats = crops.map((group) => {
    const [rows, height, width] = group.shape;
    const activations = network.backbone.trainingFloats?.(height, width) ?? 0;
    const pixels = 2 * 3 * height * width;
    return (rows / batch) * (activations + pixels + copiesOfLogits * network.head.prototypes);
  });
  return 4 * floats.reduce((a, b) => a + b, 0);
}
