import type { Architecture } from "../model/architecture.ts";

/** Where the pictures of a run come from. */
export const sets = {
  emoji: { label: "Emoji", note: "1,477 to learn from, 375 to test with, in 9 groups" },
  patterns: { label: "Patterns", note: "drawn by code: 8 kinds, any colour, any place" },
  own: { label: "My pictures", note: "a folder, files, or the camera" },
} as const;
export type SetName = keyof typeof sets;

/** How large a model is, and the crops that it learns from. */
export interface ModelSize
  extends Pick<Architecture, "embedDim" | "depth" | "heads" | "patchSize"> {
  readonly label: string;
  readonly note: string;
  /** Sides of the crops, in pixels. */
  readonly global: number;
  readonly local: number;
}

export const models = {
  tiny: {
    ...{ label: "Tiny", note: "width 48, 3 layers: minutes on a processor" },
    ...{ embedDim: 48, depth: 3, heads: 3, patchSize: 8, global: 32, local: 16 },
  },
  small: {
    ...{ label: "Small", note: "width 96, 4 layers: what the built-in model is" },
    ...{ embedDim: 96, depth: 4, heads: 3, patchSize: 8, global: 32, local: 16 },
  },
  large: {
    ...{ label: "Large", note: "width 192, 6 layers, 64-pixel crops: for a graphics card" },
    ...{ embedDim: 192, depth: 6, heads: 3, patchSize: 8, global: 64, local: 32 },
  },
} as const satisfies Readonly<Record<string, ModelSize>>;
export type ModelName = keyof typeof models;

/** Everything that decides what a run comes to, besides the pictures. */
export interface TrainSettings {
  readonly set: SetName;
  readonly model: ModelName;
  readonly steps: number;
  readonly seed: number;
}

/** Pictures of a step. */
export const batchSize = 32;

/** Width of the head. */
export const prototypes = 256;

export function isSet(name: string): name is SetName {
  return Object.hasOwn(sets, name);
}

export function isModel(name: string): name is ModelName {
  return Object.hasOwn(models, name);
}
