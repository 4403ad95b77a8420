import type { Pixels } from "@dino/ops";
import {
  classAttention,
  colorHeads,
  contactSheet,
  heatmap,
  maskOverlay,
  massMask,
} from "@dino/visualization";
import type { Tensor4D } from "@tensorflow/tfjs-core";

/** Pictures by what they show. */
export type NamedPictures = readonly (readonly [name: string, picture: Pixels])[];

/** What the class token looks at: each head, their mean, the mean's mask, all heads in colours, and a sheet of it all. */
export async function attentionPictures(
  selfAttention: Tensor4D,
  picture: Pixels,
  { patchSize, keep }: { readonly patchSize: number; readonly keep: number },
): Promise<NamedPictures> {
  const attention = await classAttention(selfAttention, picture, { patchSize });
  const heads = attention.maps.map((map, i) => [`head${i}`, heatmap(map, attention)] as const);
  const mean = heatmap(attention.mean, attention);
  const mask = maskOverlay(picture, massMask(attention.mean, keep), attention);
  const colored = colorHeads(picture, attention, { keep });
  const sheet = contactSheet([picture, colored, mask, mean, ...heads.map(([, map]) => map)]);
  return [...heads, ["mean", mean], ["mask", mask], ["heads", colored], ["sheet", sheet]];
}
