export { usualHeadWidth, type VitArchitecture, vitOfData, vitOfShapes } from "./architecture.ts";
export type { VitOptions } from "./options.ts";
export { type Extent, positionsFor, resizePositions } from "./positions.ts";
export { type VitName, type VitSize, type VitSizes, vitSizes } from "./sizes.ts";
export { type SelfAttentionOptions, type VisionTransformer, vit } from "./vit.ts";
