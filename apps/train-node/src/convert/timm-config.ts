import { resnet } from "@dino/backbones/resnet";
import type { VitArchitecture } from "@dino/backbones/vit";
import type { ResnetArchitecture } from "../model/resnet-architecture.ts";
import { timmInput } from "./preprocessing.ts";

/** What timm calls the sizes that it has; others are the nearest with arguments of their own. */
const names: readonly (readonly [width: number, name: string])[] = [
  [768, "base"],
  [384, "small"],
  [0, "tiny"],
];

/** `config.json` of timm, which `timm.create_model("local-dir:DIR", pretrained=True)` opens. */
export function timmConfig(architecture: VitArchitecture, hidden: number): object {
  const { embedDim, depth, heads, patchSize, imageSize } = architecture;
  const [, size] = names.find(([width]) => embedDim >= width) as readonly [number, string];
  return {
    architecture: `vit_${size}_patch16_224`,
    num_classes: 0,
    num_features: embedDim,
    global_pool: "token",
    model_args: {
      img_size: imageSize,
      patch_size: patchSize,
      embed_dim: embedDim,
      depth,
      num_heads: heads,
      mlp_ratio: hidden / embedDim,
    },
    pretrained_cfg: {
      ...timmInput(architecture),
      tag: "dino",
      num_classes: 0,
      pool_size: null,
      first_conv: "patch_embed.proj",
      classifier: "head",
      license: "apache-2.0",
    },
  };
}

/** The same of a ResNet, whose names in timm are torchvision's. */
export function timmResnetConfig(architecture: ResnetArchitecture): object {
  return {
    architecture: architecture.resnet,
    num_classes: 0,
    num_features: resnet(architecture.resnet).embedDim,
    global_pool: "avg",
    pretrained_cfg: {
      ...timmInput(architecture),
      fixed_input_size: false,
      tag: "dino",
      num_classes: 0,
      pool_size: null,
      first_conv: "conv1",
      classifier: "fc",
      license: "apache-2.0",
    },
  };
}
