import type * as tf from "@tensorflow/tfjs-core";
import { blurProgram, finishProgram, resizeProgram, toneProgram } from "../shaders/views.ts";
import type { DinoWebGPUBackend } from "../webgpu-backend.ts";
import { groupsFor } from "./size-of.ts";
import { type WebgpuKernel, webgpuKernel } from "./webgpu-kernel.ts";

/** What `@dino/augmentations` packs. */
interface Inputs {
  readonly pictures: tf.TensorInfo;
  readonly axes: tf.TensorInfo;
  readonly records: tf.TensorInfo;
  /** The 256 values of each channel, `[3 * 256]`. */
  readonly table: tf.TensorInfo;
}

interface Attributes {
  readonly size: number;
  readonly crops: number;
  /** Bytes by sextant, range and place: `[6, 256, 256]`; and by the largest and the range: `[256, 256]`. */
  readonly hues: Uint8Array;
  readonly saturations: Uint8Array;
}

/** Crops of one size from the pictures' bytes, in five dispatches. */
export const viewsKernels: readonly WebgpuKernel[] = [
  webgpuKernel<Inputs, Attributes>("DinoViews", ({ inputs, attributes, backend }) => {
    const { pictures, axes, records, table } = inputs;
    const { size, crops } = attributes;
    const pixels = backend.output([crops, size, size]);
    const images = backend.output([crops, size, size, 3]);
    const count = crops * size * size;
    backend.run(resizeProgram, {
      reads: [pictures, axes, records],
      writes: [pixels],
      scalars: { size, count },
      groups: groupsFor(count),
    });
    backend.run(toneProgram, {
      reads: [records, tablesOn(backend, attributes)],
      writes: [pixels],
      scalars: { size, count: crops, zero: 0 },
      groups: crops,
    });
    for (const along of ["rows", "columns"] as const) {
      backend.run(blurProgram(size, along), {
        reads: [records],
        writes: [pixels],
        scalars: { count: crops },
        groups: crops * size,
      });
    }
    backend.run(finishProgram, {
      reads: [pixels, records, table],
      writes: [images],
      scalars: { size, count: 3 * count },
      groups: groupsFor(3 * count),
    });
    backend.free(pixels);
    return images;
  }),
];

const tables = new WeakMap<DinoWebGPUBackend, tf.TensorInfo>();

/** The tables of hue, which are uploaded once to a device. */
function tablesOn(backend: DinoWebGPUBackend, { hues, saturations }: Attributes): tf.TensorInfo {
  const known = tables.get(backend);
  if (known) return known;
  const words = new Int32Array((hues.length + saturations.length) / 4);
  const bytes = new Uint8Array(words.buffer);
  bytes.set(hues);
  bytes.set(saturations, hues.length);
  const made = backend.makeTensorInfo([words.length], "int32", words);
  tables.set(backend, made);
  return made;
}
