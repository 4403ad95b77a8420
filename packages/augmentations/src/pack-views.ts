import type { Pixels } from "@dino/ops";
import { boxOf } from "./blur.ts";
import { coefficients, fractionBits } from "./coefficients.ts";
import type { Filter } from "./filter.ts";
import { assertBox, assertPixels } from "./pixels.ts";
import type { JitterStep, View } from "./view.ts";
import type { CropGroup } from "./view-policy.ts";
import type { Seen } from "./view-tensors.ts";

/** A batch's pictures and views as a device reads them: 32-bit words. */
export interface PackedViews {
  /** The pictures' bytes behind each other, each from a whole word on. */
  readonly pictures: Int32Array;
  /** How axes are resized: for every output its first input, how many, and as many weights as any needs. */
  readonly axes: Int32Array;
  /** For each group, `recordWords` for every crop, crop-major. */
  readonly records: readonly Int32Array[];
}

/**
 * The words of a crop's record, in this order: the first byte of the picture's box; the picture's
 * columns; place and taps of the horizontal axis, and of the vertical one; whether it is mirrored;
 * four jitter steps, three bits each, the first lowest (0 none, then brightness, contrast,
 * saturation, hue); their factors, the last a shift of the hue byte; whether it is grey; the blur's
 * radius (-1: none) and its weights inside and at the ends; whether it is solarized.
 */
export const recordWords = 17;

const steps: readonly JitterStep[] = ["brightness", "contrast", "saturation", "hue"];

/** The words of a batch. */
export function packViews(batch: readonly Seen[], groups: readonly CropGroup[]): PackedViews {
  const starts: number[] = [];
  let bytes = 0;
  for (const { picture } of batch) {
    assertPixels(picture);
    starts.push(bytes);
    bytes += packedBytes(picture);
  }
  const pictures = new Int32Array(bytes / 4);
  const all = new Uint8Array(pictures.buffer);
  batch.forEach(({ picture }, i) => {
    all.set(picture.data, starts[i]);
  });

  const axes = packAxes();
  let done = 0;
  const records = groups.map(({ size, views }) => {
    const words = new Int32Array(recordWords * views * batch.length);
    for (let v = 0; v < views; v++) {
      batch.forEach((seen, i) => {
        const view = seen.views[done + v] as View;
        const record = recordOf(seen, view, { start: starts[i] as number, size, axes });
        words.set(record, recordWords * (v * batch.length + i));
      });
    }
    done += views;
    return words;
  });
  return { pictures, axes: axes.words(), records };
}

/** How many bytes a picture takes up among those of a batch. */
export function packedBytes({ data }: Pixels): number {
  return 4 * Math.ceil(data.length / 4);
}

interface Place {
  readonly start: number;
  readonly size: number;
  readonly axes: ReturnType<typeof packAxes>;
}

function recordOf({ picture }: Seen, view: View, { start, size, axes }: Place): readonly number[] {
  const { crop, filter = "bicubic", flip, jitter, grey, blur, solarize } = view;
  assertBox(crop, picture);
  if (view.size !== size) {
    throw new RangeError(`size: expected a view of ${size} pixels, got one of ${view.size}`);
  }
  const across = axes.add(filter, crop.width, size);
  const down = axes.add(filter, crop.height, size);
  const order = (jitter?.order ?? []).map((step, i) => (steps.indexOf(step) + 1) << (3 * i));
  const box = blur === null || blur === 0 ? undefined : boxOf(blur);
  return [
    start + 3 * (crop.top * picture.width + crop.left),
    picture.width,
    ...[across.at, across.taps, down.at, down.taps],
    Number(flip),
    order.reduce((sum, bits) => sum + bits, 0),
    ...[jitter?.brightness, jitter?.contrast, jitter?.saturation].map((factor = 1) =>
      bitsOf(factor),
    ),
    Math.trunc(255 * (jitter?.hue ?? 0)),
    Number(grey),
    ...[box?.radius ?? -1, box?.inner ?? 0, box?.outer ?? 0],
    Number(solarize),
  ];
}

const single = new Float32Array(1);
const bits = new Int32Array(single.buffer);

/** The bits of a float32. */
function bitsOf(value: number): number {
  single[0] = value;
  return bits[0] as number;
}

/** Collects axes; those of equal lengths once. */
function packAxes() {
  const known = new Map<string, { readonly at: number; readonly taps: number }>();
  const parts: Int32Array[] = [];
  let length = 0;
  return {
    /** Where an axis' words are, and how many weights each output has. */
    add: (filter: Filter, inputs: number, outputs: number) => {
      const key = `${filter} ${inputs} ${outputs}`;
      const found = known.get(key);
      if (found) return found;
      const words = inputs === outputs ? unchanged(outputs) : resized(filter, inputs, outputs);
      const place = { at: length, taps: words.length / outputs - 2 };
      known.set(key, place);
      parts.push(words);
      length += words.length;
      return place;
    },
    words: (): Int32Array => {
      const all = new Int32Array(length);
      let at = 0;
      for (const part of parts) {
        all.set(part, at);
        at += part.length;
      }
      return all;
    },
  };
}

function unchanged(length: number): Int32Array {
  return Int32Array.from({ length: 3 * length }, (_, i) =>
    i % 3 === 0 ? i / 3 : i % 3 === 1 ? 1 : 1 << fractionBits,
  );
}

function resized(filter: Filter, inputs: number, outputs: number): Int32Array {
  const { taps, first, count, weights } = coefficients(filter, inputs, outputs);
  const words = new Int32Array((taps + 2) * outputs);
  for (let output = 0; output < outputs; output++) {
    const at = (taps + 2) * output;
    words[at] = first[output] as number;
    words[at + 1] = count[output] as number;
    words.set(weights.subarray(output * taps, (output + 1) * taps), at + 2);
  }
  return words;
}
