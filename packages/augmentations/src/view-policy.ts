import type { Key } from "@dino/random";
import type { MultiCropOptions } from "./multi-crop.ts";
import type { View } from "./view.ts";

/** Crops of one size. */
export interface CropGroup {
  readonly size: number;
  readonly views: number;
}

/** Which crops a picture is seen through. */
export interface ViewPolicy {
  /** What a step's crops look like: `views` crops of `size` x `size`, global crops first. */
  readonly groups: readonly CropGroup[];
  /**
   * What `multiCrop` makes this policy of: a thread that is sent them samples by itself. Policies of
   * another making have none.
   */
  readonly options?: MultiCropOptions;
  /**
   * The views of a picture under a key, group after group. A pure function: the same size and key
   * are the same views, whoever asks. View `c` depends on `fold(key, c)` alone.
   */
  sample(picture: { readonly width: number; readonly height: number }, key: Key): readonly View[];
}
