/** What makes one ResNet larger than another. */
export interface ResnetSizes {
  /** Two convolutions of 3 x 3, or one between two of 1 x 1 with four times as many outputs. */
  readonly block: "basic" | "bottleneck";
  /** Blocks in each of the four stages. */
  readonly blocks: readonly [number, number, number, number];
  /** Channels of the first convolution and stage; every further stage has twice as many. */
  readonly width?: number;
}

export type ResnetSize = "18" | "34" | "50" | "101";

/** The sizes by torchvision's names. */
export type ResnetName = `resnet${ResnetSize}`;

/** He et al. 2015, table 1. */
export const resnetSizes: Readonly<Record<ResnetName, ResnetSizes>> = {
  resnet18: { block: "basic", blocks: [2, 2, 2, 2] },
  resnet34: { block: "basic", blocks: [3, 4, 6, 3] },
  resnet50: { block: "bottleneck", blocks: [3, 4, 6, 3] },
  resnet101: { block: "bottleneck", blocks: [3, 4, 23, 3] },
};
