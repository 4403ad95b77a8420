import type { VitArchitecture } from "@dino/backbones/vit";

/** Where the pictures of a run come from. */
export const sets = {
  emoji: { label: "Emoji", note: "1,477 to learn from, 375 to test with, in 9 groups" },
  patterns: { label: "Patterns", note: "960 drawn by code: any colour, any place" },
  own: { label: "My pictures", note: "a folder, files, or the camera" },
} as const;
export type SetName = keyof typeof sets;

/** How large a model is, and the crops that it learns from. */
export interface ModelSize
  extends Pick<VitArchitecture, "embedDim" | "depth" | "heads" | "patchSize"> {
  readonly label: string;
  readonly note: string;
  /** Sides of the crops, in pixels. */
  readonly global: number;
  readonly local: number;
  /** The learning rate's peak, and how slowly and how sharply the teacher follows. */
  readonly rate: number;
  readonly momentum: number;
  readonly temperature: number;
}

/** The quick start's. */
const slow = { rate: 1e-3, momentum: 0.99, temperature: 0.04 };

export const models = {
  tiny: {
    ...{ label: "Tiny", note: "Width 48, 3 layers: some minutes on a processor." },
    ...{ embedDim: 48, depth: 3, heads: 3, patchSize: 8, global: 32, local: 16 },
    // What a few hundred steps get furthest with. At a temperature of 0.03 one seed in three got worse.
    ...{ rate: 2e-3, momentum: 0.98, temperature: 0.04 },
  },
  small: {
    ...{ label: "Small", note: "Width 96, 4 layers: as the built-in model." },
    ...{ embedDim: 96, depth: 4, heads: 3, patchSize: 8, global: 32, local: 16 },
    ...slow,
  },
  large: {
    ...{ label: "Large", note: "Width 192, 6 layers, crops of 64 pixels: for a graphics card." },
    ...{ embedDim: 192, depth: 6, heads: 3, patchSize: 8, global: 64, local: 32 },
    ...slow,
  },
} as const satisfies Readonly<Record<string, ModelSize>>;
export type ModelName = keyof typeof models;

/** Everything that decides what a run comes to, besides the pictures. */
export interface TrainSettings {
  readonly set: SetName;
  readonly model: ModelName;
  readonly steps: number;
  /** Pictures of a step. */
  readonly batch: number;
  readonly seed: number;
}

/** What a run is like where nobody says otherwise. */
export const defaults = {
  ...{ set: "emoji", model: "tiny", steps: 600, batch: 32, seed: 0 },
} as const satisfies TrainSettings;

/** Width of the head. */
export const prototypes = 256;

export function isSet(name: string): name is SetName {
  return Object.hasOwn(sets, name);
}

export function isModel(name: string): name is ModelName {
  return Object.hasOwn(models, name);
}
