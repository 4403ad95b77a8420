import type { VisionTransformer } from "@dino/backbones/vit";
import type { Params, Pixels } from "@dino/ops";
import { type PatchTokens, patchTokens, toTensor } from "@dino/visualization";
import { type Tensor3D, tidy } from "@tensorflow/tfjs-core";

/** The normalised tokens that a picture's patches have after a block, counted from 0. */
export async function patchTokensOf(
  picture: Pixels,
  {
    backbone,
    params,
    block,
  }: { readonly backbone: VisionTransformer; readonly params: Params; readonly block: number },
): Promise<PatchTokens> {
  const tokens = tidy(() => {
    const blocks = backbone.depth - block;
    const [asked] = backbone.intermediateTokens(params, toTensor(picture), { blocks });
    return asked as Tensor3D;
  });
  return patchTokens(tokens, picture, backbone).finally(() => tokens.dispose());
}
