import {
  applyViews,
  cropBlocks,
  multiCrop,
  type Seen,
  type View,
  viewTensors,
} from "@dino/augmentations";
import type { Normalization, Pixels } from "@dino/ops";
import { fold, key } from "@dino/random";
import { expectNoLeak, onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { augment, goldenPicture } from "./augment-golden.ts";

/** A normalisation that leaves grey levels as they are. */
const levels: Normalization = { mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255] };

const size = 20;
const plain: View = {
  size,
  crop: { top: 1, left: 2, height: 30, width: 27 },
  flip: false,
  jitter: null,
  grey: false,
  blur: null,
  solarize: false,
};
const steps = { brightness: 1.31, contrast: 0.66, saturation: 1.17, hue: -0.083 };

const alone: Readonly<Record<string, Partial<View>>> = {
  shrunk: {},
  grown: { crop: { top: 3, left: 1, height: 9, width: 13 } },
  "as large as it is": { crop: { top: 2, left: 5, height: size, width: size } },
  "by Lanczos' filter": { filter: "lanczos" },
  mirrored: { flip: true },
  brighter: { jitter: { ...steps, order: ["brightness"] } },
  "of less contrast": { jitter: { ...steps, order: ["contrast"] } },
  "more colourful": { jitter: { ...steps, order: ["saturation"] } },
  "of another hue": { jitter: { ...steps, order: ["hue"] } },
  grey: { grey: true },
  "a little blurred": { blur: 0.4 },
  blurred: { blur: 1.9 },
  "much blurred": { blur: 7 },
  solarized: { solarize: true },
};

let pictures: readonly Pixels[] = [];
beforeAll(async () => {
  pictures = await Promise.all(augment.images.map(({ image }) => goldenPicture(image)));
});

onEveryBackend(
  (backend) => {
    test("makes each change alone as on bytes", async () => {
      const views = Object.values(alone).map((change) => ({ ...plain, ...change }));
      const batch = pictures.map((picture) => ({ picture, views }));
      await expectAsOnBytes(batch, [{ size, views: views.length }]);
    });

    test("makes what is drawn, all together, as on bytes", async () => {
      const policy = multiCrop({ global: 24, local: 12, locals: 4, solarize: { others: 0.6 } });
      const batch = pictures.map((picture, i) => ({
        picture,
        views: policy.sample(picture, fold(key(7), i)),
      }));
      await expectAsOnBytes(batch, policy.groups);
    });

    test("makes a batch that is too large for a device in parts, to the same crops", async () => {
      const policy = multiCrop({ global: 24, local: 12, locals: 3 });
      const batch = pictures.map((picture, i) => ({
        picture,
        views: policy.sample(picture, fold(key(8), i)),
      }));
      const largest = Math.max(...pictures.map(({ data }) => data.length)) + 4;
      const own = Object.getOwnPropertyDescriptor(tf.backend(), "mostBytes");
      Object.defineProperty(tf.backend(), "mostBytes", { value: largest, configurable: true });
      try {
        await expectAsOnBytes(batch, policy.groups);
        expectNoLeak(() => viewTensors(batch, policy.groups));
      } finally {
        delete (tf.backend() as { mostBytes?: number }).mostBytes;
        if (own) Object.defineProperty(tf.backend(), "mostBytes", own);
      }
    });

    test("leaks nothing, and names the view that does not fit", () => {
      const groups = [{ size, views: 1 }];
      const batch = [{ picture: pictures[0] as Pixels, views: [plain] }];
      expectNoLeak(() => viewTensors(batch, groups));
      expect(() => viewTensors(batch, [{ size, views: 2 }])).toThrow(
        "views: expected 2 of every picture, got 1",
      );
      expect(tf.getBackend()).toBe(backend);
    });
  },
  { waits: true },
);

/** Every byte the same: whole numbers are exact on any device, and so are single products and sums. */
async function expectAsOnBytes(
  batch: readonly Seen[],
  groups: Parameters<typeof viewTensors>[1],
): Promise<void> {
  const blocks = cropBlocks(groups, batch.length);
  batch.forEach(({ picture, views }, index) => {
    applyViews(picture, views, { blocks, index, batch: batch.length });
  });
  const tensors = viewTensors(batch, groups, levels);
  for (const [i, tensor] of tensors.entries()) {
    const { size, views } = groups[i] as (typeof groups)[number];
    expect(tensor.shape).toEqual([views * batch.length, size, size, 3]);
    const made = Uint8Array.from(await tensor.data(), Math.round);
    const block = blocks[i] as Uint8Array;
    const length = 3 * size * size;
    for (let crop = 0; crop < views * batch.length; crop++) {
      const [from, to] = [crop * length, (crop + 1) * length];
      const worst = made.subarray(from, to).reduce((most, byte, at) => {
        return Math.max(most, Math.abs(byte - (block[from + at] as number)));
      }, 0);
      expect(worst, `crop ${crop} of ${size} pixels`).toBe(0);
    }
  }
  tf.dispose(tensors);
}
