import type { Architecture } from "../model/architecture.ts";

/** ImageNet's mean and deviation of each channel, with which the reference normalises. */
const mean: readonly number[] = [0.485, 0.456, 0.406];
const std: readonly number[] = [0.229, 0.224, 0.225];

/**
 * `preprocessor_config.json` of transformers for the reference's evaluation: the shorter side to
 * 256/224 of the model's size, bicubic, then a central crop.
 */
export function preprocessorConfig({ imageSize }: Architecture): object {
  return {
    image_processor_type: "BitImageProcessor",
    do_convert_rgb: true,
    do_resize: true,
    size: { shortest_edge: Math.round((imageSize * 256) / 224) },
    resample: 3, // Pillow's bicubic
    do_center_crop: true,
    crop_size: { height: imageSize, width: imageSize },
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: mean,
    image_std: std,
  };
}

/** The same as timm tells it. */
export function timmInput({ imageSize }: Architecture): object {
  return {
    input_size: [3, imageSize, imageSize],
    fixed_input_size: true,
    interpolation: "bicubic",
    crop_pct: 0.875,
    crop_mode: "center",
    mean,
    std,
  };
}
