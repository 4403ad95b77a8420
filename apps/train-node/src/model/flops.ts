import { resnet } from "@dino/backbones/resnet";
import type { VitArchitecture } from "@dino/backbones/vit";
import { type Architecture, backboneOf, isResnet } from "./architecture.ts";
import type { ResnetArchitecture } from "./resnet-architecture.ts";

export interface HeadWidths {
  readonly hidden: number;
  readonly bottleneck: number;
  readonly prototypes: number;
}

export interface CropSizes {
  readonly globals: number;
  readonly globalSize: number;
  readonly locals: number;
  readonly localSize: number;
}

/**
 * Floating-point operations of one training step for one picture, a multiplication and an
 * addition being two. With N tokens of width D a block has 24 N D^2 for its products with weights
 * and 4 N^2 D for attention; of a ResNet the convolutions count. The teacher sees the global crops, the student all of them; backward
 * costs twice the student's forward, but no gradient reaches the pictures.
 */
export function stepFlops(model: Architecture, head: HeadWidths, crops: CropSizes): number {
  const { globals, globalSize, locals, localSize } = crops;
  const perView = headFlops(backboneOf(model).embedDim, head);
  const view = (size: number) => viewFlops(model, size) + perView;
  const teacher = globals * view(globalSize);
  const student = globals * view(globalSize) + locals * view(localSize);
  const pixels = globals * firstFlops(model, globalSize) + locals * firstFlops(model, localSize);
  return teacher + student + 2 * student - pixels;
}

/** The backbone's forward pass of a square view. */
export function viewFlops(model: Architecture, size: number): number {
  if (isResnet(model)) return sum(convolutionFlops(model, size));
  const { embedDim: width, depth } = model;
  const tokens = 1 + patchesOf(model, size);
  const block = 24 * tokens * width ** 2 + 4 * tokens ** 2 * width;
  return depth * block + patchFlops(model, size);
}

/** What of it is the first layer's: no gradient reaches the pictures. */
function firstFlops(model: Architecture, size: number): number {
  return isResnet(model) ? (convolutionFlops(model, size)[0] as number) : patchFlops(model, size);
}

function convolutionFlops({ resnet: name }: ResnetArchitecture, size: number): readonly number[] {
  return resnet(name)
    .convolutions(size, size)
    .map((c) => 2 * c.inputs * c.outputs * c.kernel ** 2 * c.rows * c.columns);
}

function patchFlops(model: VitArchitecture, size: number): number {
  return 2 * patchesOf(model, size) * 3 * model.patchSize ** 2 * model.embedDim;
}

function patchesOf({ patchSize }: VitArchitecture, size: number): number {
  return Math.floor(size / patchSize) ** 2;
}

function headFlops(width: number, { hidden, bottleneck, prototypes }: HeadWidths): number {
  return 2 * (width * hidden + hidden ** 2 + hidden * bottleneck + bottleneck * prototypes);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
