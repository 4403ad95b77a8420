export type { ConvolutionSize } from "./convolution-sizes.ts";
export { type Block, type Layer, type Layers, resnetLayers } from "./layers.ts";
export { type Resnet, type ResnetOptions, resnet } from "./resnet.ts";
export { type ResnetName, type ResnetSizes, resnetSizes } from "./sizes.ts";
