import type { Checkpoint } from "../checkpoint.ts";
import { CheckpointError } from "../checkpoint-error.ts";
import { someNames } from "../name-report.ts";
import { findWeights } from "./find-weights.ts";
import type { NamedWeights } from "./named-weights.ts";

/** What a Vision Transformer's, an XCiT's and a ResNet's names begin with. */
const beginnings =
  /^(cls_token$|pos_embed$|pos_embeder\.|patch_embed\.|blocks\.\d+\.|cls_attn_blocks\.\d+\.|norm\.|conv1\.|bn1\.|layer[1-4]\.\d+\.)/;

export interface BackboneWeightsOptions {
  /** Which of the two networks of a training checkpoint. Files that hold one alone ignore it. */
  readonly from?: "student" | "teacher";
}

/**
 * The backbone in a checkpoint, under the reference's names, whatever the file calls them: the
 * published files and a run's, timm's, torchvision's, Hugging Face's. Nothing is read yet.
 */
export function backboneWeights(
  checkpoint: Checkpoint,
  { from = "teacher" }: BackboneWeightsOptions = {},
): NamedWeights {
  const found = findWeights(checkpoint, (name) => beginnings.test(name), { from });
  if (found) return found;
  throw new CheckpointError(
    `${checkpoint.name}: expected the weights of a Vision Transformer or a ResNet, got ${someNames(checkpoint)}`,
  );
}
