import type { Dtype } from "@dino/checkpoint";
import type { Architecture } from "../model/architecture.ts";

const dtypes: Readonly<Partial<Record<Dtype, string>>> = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
};

/** `config.json` of transformers' `ViTModel`. */
export function huggingFaceConfig(
  { embedDim, depth, heads, patchSize, imageSize }: Architecture,
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
