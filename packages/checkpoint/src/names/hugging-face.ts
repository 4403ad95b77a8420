import type { NameMap, NameRule } from "./name-map.ts";

/** What stands in front of all names in a model with a head for a task. */
const vitPrefixes = ["", "vit.", "state_dict.", "state_dict.vit."];

const vitLeftOut = ["pooler.", "classifier.", "decoder."];

const vitEnds: readonly NameRule[] = [
  { ours: "cls_token", theirs: "embeddings.cls_token" },
  { ours: "pos_embed", theirs: "embeddings.position_embeddings" },
  { ours: "patch_embed.proj.*", theirs: "embeddings.patch_embeddings.projection.*" },
  { ours: "norm.*", theirs: "layernorm.*" },
];

/** The files of transformers' ViT: `ViTModel`, and models for a task whose names begin with `vit.`. */
export const huggingFaceVit: NameMap = {
  name: "Hugging Face ViT",
  prefixes: vitPrefixes,
  rules: [
    ...vitEnds,
    { ours: "blocks.#.norm1.*", theirs: "encoder.layer.#.layernorm_before.*" },
    {
      ours: "blocks.#.attn.qkv.*",
      theirs: ["query", "key", "value"].map(
        (part) => `encoder.layer.#.attention.attention.${part}.*`,
      ),
    },
    { ours: "blocks.#.attn.proj.*", theirs: "encoder.layer.#.attention.output.dense.*" },
    { ours: "blocks.#.norm2.*", theirs: "encoder.layer.#.layernorm_after.*" },
    { ours: "blocks.#.mlp.fc1.*", theirs: "encoder.layer.#.intermediate.dense.*" },
    { ours: "blocks.#.mlp.fc2.*", theirs: "encoder.layer.#.output.dense.*" },
  ],
  leftOut: vitLeftOut,
};

/** The same model's `state_dict()` in transformers 5, whose files keep the older names. */
export const huggingFaceVit5: NameMap = {
  name: "Hugging Face ViT (names of transformers 5)",
  prefixes: vitPrefixes,
  rules: [
    ...vitEnds,
    { ours: "blocks.#.norm1.*", theirs: "layers.#.layernorm_before.*" },
    {
      ours: "blocks.#.attn.qkv.*",
      theirs: ["q", "k", "v"].map((part) => `layers.#.attention.${part}_proj.*`),
    },
    { ours: "blocks.#.attn.proj.*", theirs: "layers.#.attention.o_proj.*" },
    { ours: "blocks.#.norm2.*", theirs: "layers.#.layernorm_after.*" },
    { ours: "blocks.#.mlp.fc1.*", theirs: "layers.#.mlp.fc1.*" },
    { ours: "blocks.#.mlp.fc2.*", theirs: "layers.#.mlp.fc2.*" },
  ],
  leftOut: vitLeftOut,
};

/** The files of transformers' ResNet. */
export const huggingFaceResnet: NameMap = {
  name: "Hugging Face ResNet",
  prefixes: ["", "resnet."],
  rules: [
    { ours: "conv1.*", theirs: "embedder.embedder.convolution.*" },
    { ours: "bn1.*", theirs: "embedder.embedder.normalization.*" },
    ...[1, 2, 3, 4].flatMap(stageRules),
  ],
  leftOut: ["classifier."],
};

/** torchvision counts layers and convolutions from 1, transformers stages and layers from 0. */
function stageRules(layer: number): readonly NameRule[] {
  const ours = `layer${layer}.#`;
  const theirs = `encoder.stages.${layer - 1}.layers.#`;
  const units = [1, 2, 3].flatMap((unit) => [
    { ours: `${ours}.conv${unit}.*`, theirs: `${theirs}.layer.${unit - 1}.convolution.*` },
    { ours: `${ours}.bn${unit}.*`, theirs: `${theirs}.layer.${unit - 1}.normalization.*` },
  ]);
  return [
    ...units,
    { ours: `${ours}.downsample.0.*`, theirs: `${theirs}.shortcut.convolution.*` },
    { ours: `${ours}.downsample.1.*`, theirs: `${theirs}.shortcut.normalization.*` },
  ];
}
