export type { Backbone, BatchPart, Crops, Module, Training } from "./backbone.ts";
export { dinoHead, type Head, type HeadOptions } from "./dino-head.ts";
export { dinoNetwork, type Network } from "./dino-network.ts";
