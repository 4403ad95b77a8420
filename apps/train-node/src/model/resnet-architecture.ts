import { type ResnetName, type ResnetSizes, resnetSizes } from "@dino/backbones/resnet";
import type { NamedWeights } from "@dino/checkpoint";
import { RunError } from "../errors.ts";

/** What a ResNet is built from. */
export interface ResnetArchitecture {
  readonly resnet: ResnetName;
  /** Side of the pictures that it was trained on; others go as well. */
  readonly imageSize: number;
}

/** What published weights were trained on. */
const usualSize = 224;

/** Whether this is the name of a ResNet. */
export function isResnetName(name: string): name is ResnetName {
  return Object.hasOwn(resnetSizes, name);
}

/** The ResNet that a backbone's tensors show; nothing where they are of another kind. */
export function resnetOfTensors({ name, tensors }: NamedWeights): ResnetArchitecture | undefined {
  if (!tensors.has("layer1.0.conv1.weight")) return undefined;
  const sizes: ResnetSizes = {
    block: tensors.has("layer1.0.conv3.weight") ? "bottleneck" : "basic",
    blocks: [1, 2, 3, 4].map((stage) => blocksIn(tensors, stage)) as [
      number,
      number,
      number,
      number,
    ],
  };
  const known = Object.entries(resnetSizes).find(([, published]) => isSame(published, sizes));
  if (known && isResnetName(known[0])) return { resnet: known[0], imageSize: usualSize };
  throw new RunError(
    `${name}: expected one of ${Object.keys(resnetSizes).join(", ")}, got a ResNet of ${sizes.blocks.join(", ")} ${sizes.block} blocks`,
  );
}

function blocksIn(tensors: NamedWeights["tensors"], stage: number): number {
  const block = new RegExp(`^layer${stage}\\.(\\d+)\\.`);
  return new Set([...tensors.keys()].flatMap((key) => block.exec(key)?.[1] ?? [])).size;
}

function isSame(a: ResnetSizes, b: ResnetSizes): boolean {
  return a.block === b.block && a.blocks.join() === b.blocks.join();
}

/** The same from a file's metadata. */
export function resnetIn(value: object): ResnetArchitecture | undefined {
  const { resnet, imageSize } = value as Readonly<Record<string, unknown>>;
  if (typeof resnet !== "string" || !isResnetName(resnet)) return undefined;
  if (typeof imageSize !== "number" || !Number.isSafeInteger(imageSize) || imageSize < 1) {
    return undefined;
  }
  return { resnet, imageSize };
}
