import { resnetSizes } from "@dino/backbones/resnet";
import type { VitArchitecture } from "@dino/backbones/vit";
import type { Dtype } from "@dino/checkpoint";
import type { ResnetArchitecture } from "../model/resnet-architecture.ts";

const dtypes: Readonly<Partial<Record<Dtype, string>>> = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
};

/** `config.json` of transformers' `ViTModel`. */
export function huggingFaceConfig(
  { embedDim, depth, heads, patchSize, imageSize }: VitArchitecture,
  { hidden, dtype }: { readonly hidden: number; readonly dtype: Dtype },
): object {
  return {
    architectures: ["ViTModel"],
    model_type: "vit",
    hidden_size: embedDim,
    num_hidden_layers: depth,
    num_attention_heads: heads,
    intermediate_size: hidden,
    hidden_act: "gelu",
    hidden_dropout_prob: 0,
    attention_probs_dropout_prob: 0,
    initializer_range: 0.02,
    layer_norm_eps: 1e-6, // the reference's; transformers' own default is smaller
    image_size: imageSize,
    patch_size: patchSize,
    num_channels: 3,
    qkv_bias: true,
    torch_dtype: dtypes[dtype] ?? "float32",
  };
}

/** `config.json` of transformers' `ResNetModel`. */
export function huggingFaceResnetConfig({ resnet }: ResnetArchitecture, dtype: Dtype): object {
  const { block, blocks, width = 64 } = resnetSizes[resnet];
  const expansion = block === "basic" ? 1 : 4;
  return {
    architectures: ["ResNetModel"],
    model_type: "resnet",
    num_channels: 3,
    embedding_size: width,
    hidden_sizes: blocks.map((_, stage) => expansion * width * 2 ** stage),
    depths: blocks,
    layer_type: block,
    hidden_act: "relu",
    downsample_in_first_stage: false,
    downsample_in_bottleneck: false, // the stride is that of the 3 x 3 convolution
    torch_dtype: dtypes[dtype] ?? "float32",
  };
}
