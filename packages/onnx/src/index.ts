export type { OnnxModel, OnnxValue } from "./model.ts";
export { type ResnetOnnxOptions, resnetToOnnx } from "./resnet-to-onnx.ts";
export { type VitOnnxOptions, vitToOnnx } from "./vit-to-onnx.ts";
