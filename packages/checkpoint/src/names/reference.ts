import type { NameMap } from "./name-map.ts";

/**
 * The published files: a backbone alone, or the two networks of a training checkpoint with the
 * wrappers around them. `state_dict` and `model` are what other programs put theirs under.
 */
export const reference: NameMap = {
  name: "DINO",
  prefixes: ["", "state_dict.", "model."].flatMap((root) =>
    ["", "backbone.", "head.", "linear."].flatMap((part) => [root + part, `${root}module.${part}`]),
  ),
  leftOut: [],
};
