import {
  applyView,
  brightness,
  centerCrop,
  contrast,
  crop,
  evaluationView,
  flip,
  gaussianBlur,
  greyscale,
  hue,
  resize,
  resizeShortSide,
  saturation,
  solarize,
  type View,
} from "@dino/augmentations";
import { imageTensor, type Pixels } from "@dino/ops";
import { type Digest, decode, expectDigest, type GoldenArray } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { augment, type GoldenOperation, goldenPicture } from "./augment-golden.ts";

beforeAll(async () => {
  expect(await tf.setBackend("cpu")).toBe(true);
});

describe.each(augment.images)("on $image", async ({ image, size_wh, ops }) => {
  const picture = await goldenPicture(image);
  const base = applyView(picture, plain({ size: 48, box: [0, 0, picture.height, picture.width] }));

  test("the picture is the golden's", () => {
    expect([picture.width, picture.height]).toEqual(size_wh);
  });

  test.each(ops.map(named))("agrees with Pillow: %s", (_, operation) => {
    if (operation.op === "to_tensor_normalize") {
      const tensor = channelsFirst(base);
      expectDigest(tensor, operation.out as Digest);
      tensor.dispose();
    } else {
      expectBytes(perform(operation), operation.out);
    }
  });

  function perform(operation: GoldenOperation): Uint8Array {
    const { op, box, size, factor, radius, threshold } = operation;
    switch (op) {
      case "resized_crop_bicubic":
        return applyView(picture, plain({ size: size as number, box: box as Corners })).data;
      case "base48":
        return base.data;
      case "brightness":
        return brightness(base, factor as number).data;
      case "contrast":
        return contrast(base, factor as number).data;
      case "saturation":
        return saturation(base, factor as number).data;
      case "hue":
        return hue(base, factor as number).data;
      case "grayscale":
        return greyscale(base).data;
      case "gaussian_blur":
        return gaussianBlur(base, radius as number).data;
      case "solarize":
        return solarize(base, threshold).data;
      case "hflip":
        return flip(base).data;
      case "eval_resize_center_crop":
        return evaluated(operation.resize as number, operation.crop as number);
      default:
        throw new Error(`no operation of ours is called ${op}`);
    }
  }

  function evaluated(side: number, size: number): Uint8Array {
    const result = centerCrop(resizeShortSide(picture, side), size);
    if (side === Math.round((size * 256) / 224)) {
      expect(evaluationView(picture, size)).toEqual(result);
    }
    return result.data;
  }
});

/** Byte i of this picture is 37 i + 3 i² modulo 256; Pillow's results are known by their checksums. */
const pattern: Pixels = {
  width: 8,
  height: 8,
  data: Uint8Array.from({ length: 192 }, (_, i) => 37 * i + 3 * i * i),
};

test.each([
  ["itself", (x: Pixels) => x, 1224640, [0, 40, 86, 138, 196, 4]],
  ["brighter", (x: Pixels) => brightness(x, 1.3), 1495518, [0, 52, 111, 179, 254, 5]],
  ["of less contrast", (x: Pixels) => contrast(x, 0.7), 1201742, [37, 65, 97, 134, 174, 40]],
  ["more colourful", (x: Pixels) => saturation(x, 1.2), 1234245, [0, 41, 96, 134, 203, 0]],
  ["of a later hue", (x: Pixels) => hue(x, 0.1), 1215509, [10, 0, 86, 27, 196, 5]],
  ["of an earlier hue", (x: Pixels) => hue(x, -0.1), 1240505, [0, 86, 81, 196, 140, 5]],
  ["grey", greyscale, 1166368, [33, 33, 33, 157, 157, 157]],
  ["solarized", (x: Pixels) => solarize(x), 588786, [0, 40, 86, 117, 59, 4]],
  ["blurred a little", (x: Pixels) => gaussianBlur(x, 1), 1202123, [66, 117, 91, 101, 136, 92]],
  ["blurred more", (x: Pixels) => gaussianBlur(x, 2), 1183673, [109, 120, 115, 115, 126, 115]],
  [
    "smaller",
    (x: Pixels) => resize(x, { width: 5, height: 5 }),
    365923,
    [60, 131, 69, 130, 157, 122],
  ],
  ["larger", (x: Pixels) => resize(x, { width: 13, height: 11 }), 2557786, [0, 16, 87, 54, 97, 41]],
  [
    "cut and enlarged",
    (x: Pixels) =>
      resize(crop(x, { top: 2, left: 1, height: 4, width: 4 }), { width: 7, height: 7 }),
    820213,
    [216, 38, 142, 238, 55, 176],
  ],
  [
    "a thumbnail",
    (x: Pixels) => resize(x, { width: 5, height: 5, filter: "lanczos" }),
    366813,
    [59, 135, 64, 132, 157, 115],
  ],
] as const)("a patterned picture %s is Pillow's", (_, operation, checksum, head) => {
  const { data } = operation(pattern);
  expect([...data.subarray(0, 6)]).toEqual(head);
  expect(data.reduce((sum, byte, k) => sum + byte * ((k % 97) + 1), 0)).toBe(checksum);
});

/** An operation and its settings in words. */
function named(operation: GoldenOperation): [string, GoldenOperation] {
  const { op, out: _, ...settings } = operation;
  return [`${op} ${JSON.stringify(settings)}`, operation];
}

/** Top, left, height, width. */
type Corners = readonly [number, number, number, number];

/** The crop alone. */
function plain({ size, box }: { size: number; box: Corners }): View {
  const [top, left, height, width] = box;
  const crop = { top, left, height, width };
  return { size, crop, flip: false, jitter: null, grey: false, blur: null, solarize: false };
}

function channelsFirst({ data, width, height }: Pixels): tf.Tensor {
  return tf.tidy(() => tf.transpose(imageTensor(data, [1, height, width]), [0, 3, 1, 2]));
}

/** Fails unless bytes agree, all of them or, with a digest, as many as it tells. */
function expectBytes(actual: Uint8Array, expected: GoldenArray | Digest): void {
  if ("dtype" in expected) {
    expect([...actual]).toEqual([...decode(expected)]);
    return;
  }
  const sum = actual.reduce((total, byte) => total + byte, 0);
  const squares = actual.reduce((total, byte) => total + byte * byte, 0);
  expect(actual.length).toBe(expected.shape_numel);
  expect(sum / actual.length).toBeCloseTo(expected.mean, 9);
  expect(Math.sqrt(squares)).toBeCloseTo(expected.l2, 6);
  expect([...actual.subarray(0, expected.head.length)]).toEqual(expected.head);
  expect([...actual.subarray(-expected.tail.length)]).toEqual(expected.tail);
}
