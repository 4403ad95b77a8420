export { type OnnxModel, type OnnxOptions, type OnnxValue, vitToOnnx } from "./vit-to-onnx.ts";
