import type { NameMap } from "./name-map.ts";

/** torchvision's ResNets, and timm's: the reference's are torchvision's without `fc`. */
export const torchvision: NameMap = {
  name: "torchvision",
  prefixes: ["", "model.", "state_dict.", "module.", "state_dict.module."],
  leftOut: ["fc.weight", "fc.bias"],
};
