import type { Pixels } from "@dino/ops";
import {
  type AttentionMaps,
  colorHeads,
  contactSheet,
  heatmap,
  maskOverlay,
  massMask,
} from "@dino/visualization";
import type { NamedPictures } from "./write-pictures.ts";

/** What can be drawn of a picture's attention. */
export const attentionKinds = ["head", "head-mask", "mean", "mask", "heads", "sheet"] as const;
export type AttentionKind = (typeof attentionKinds)[number];

/** The names of the pictures of these kinds: `head` and `head-mask` have one for each head. */
export function attentionNames(kinds: readonly AttentionKind[], heads: number): readonly string[] {
  const each = Array.from({ length: heads }, (_, head) => head);
  return attentionKinds
    .filter((kind) => kinds.includes(kind))
    .flatMap((kind) => {
      if (kind === "head") return each.map((head) => `head${head}`);
      return kind === "head-mask" ? each.map((head) => `head${head}-mask`) : [kind];
    });
}

/**
 * What the class token looks at, by the names of `attentionNames`: each head, the strongest of
 * its mass, the heads' mean, the strongest of that, all heads in colours, and a sheet of it all.
 */
export function attentionPictures(
  attention: AttentionMaps,
  picture: Pixels,
  { kinds, keep }: { readonly kinds: readonly AttentionKind[]; readonly keep: number },
): NamedPictures {
  const maskOf = (map: Float32Array) => maskOverlay(picture, massMask(map, keep), attention);
  const heads = attention.maps.map((map) => heatmap(map, attention));
  const mean = heatmap(attention.mean, attention);
  const mask = maskOf(attention.mean);
  const colored = colorHeads(picture, attention, { keep });
  const pictures: Readonly<Record<AttentionKind, () => readonly Pixels[]>> = {
    head: () => heads,
    "head-mask": () => attention.maps.map(maskOf),
    mean: () => [mean],
    mask: () => [mask],
    heads: () => [colored],
    sheet: () => [contactSheet([picture, colored, mask, mean, ...heads])],
  };
  return attentionKinds
    .filter((kind) => kinds.includes(kind))
    .flatMap((kind) => {
      const names = attentionNames([kind], attention.heads);
      return pictures[kind]().map((drawn, i) => [names[i] as string, drawn] as const);
    });
}
