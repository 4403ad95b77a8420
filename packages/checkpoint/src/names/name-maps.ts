import { huggingFaceResnet, huggingFaceVit, huggingFaceVit5 } from "./hugging-face.ts";
import type { NameMap } from "./name-map.ts";
import { reference } from "./reference.ts";
import { timm } from "./timm.ts";
import { torchvision } from "./torchvision.ts";

/** A naming of tensors, in short. */
export type NamingKey =
  | "reference"
  | "timm"
  | "torchvision"
  | "huggingFaceVit"
  | "huggingFaceVit5"
  | "huggingFaceResnet";

/** Every naming that is known, those that fit as they are first. */
export const nameMaps: Readonly<Record<NamingKey, NameMap>> = {
  reference,
  timm,
  torchvision,
  huggingFaceVit,
  huggingFaceVit5,
  huggingFaceResnet,
};
