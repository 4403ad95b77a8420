import type { NameMap } from "./name-map.ts";

/** timm's ViT (`vit_small_patch16_224`): the reference took its names from there. */
export const timm: NameMap = {
  name: "timm",
  prefixes: ["", "model.", "state_dict.", "module.", "state_dict.module."],
  leftOut: ["head.weight", "head.bias"],
};
