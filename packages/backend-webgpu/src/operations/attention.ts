import type { Segment } from "@dino/ops";
import type * as tf from "@tensorflow/tfjs-core";
import { remembered } from "../remembered.ts";
import {
  type AttentionTile,
  attentionKeysProgram,
  attentionProgram,
  attentionQueriesProgram,
  attentionTile,
} from "../shaders/attention.ts";
import { segmentSlots, segmentValues, tilesOf } from "../shaders/segments.ts";
import type { DinoWebGPUBackend } from "../webgpu-backend.ts";
import { type WebgpuKernel, webgpuKernel } from "./webgpu-kernel.ts";

export interface AttentionAttributes {
  readonly heads: number;
  readonly segments: readonly Segment[];
}

const programs = {
  forward: remembered(attentionProgram),
  queries: remembered(attentionQueriesProgram),
  keys: remembered(attentionKeysProgram),
};

/** What all programs of one attention are told. */
function plan(rows: number, head: number, { heads, segments }: AttentionAttributes) {
  const tile = attentionTile(head) as AttentionTile;
  const scalars = { rows, heads, width: head, scale: head ** -0.5, ...segmentValues(segments) };
  return { tile, scalars, groups: heads * tilesOf(segments, tile.tokens) };
}

/**
 * Attention of packed rows `[rows, 3 * dim]`: rows `[rows, dim]`, and behind their values what the
 * way back needs of the softmax, one number for each row and head. Of halves it makes halves.
 */
export function attend(
  backend: DinoWebGPUBackend,
  qkv: tf.TensorInfo,
  attributes: AttentionAttributes,
): tf.TensorInfo {
  const { heads, segments } = attributes;
  const [rows, width] = qkv.shape as [number, number];
  const { tile, scalars, groups } = plan(rows, width / 3 / heads, attributes);
  const isHalf = backend.isHalf(qkv);
  const mixed = isHalf
    ? backend.operand([rows, width / 3], heads)
    : backend.output([rows, width / 3 + heads]);
  backend.run(programs.forward(tile, segmentSlots(segments), isHalf), {
    reads: [qkv],
    writes: [mixed],
    scalars,
    groups,
  });
  return mixed;
}

/** The gradient of the packed rows; `mixed` is what `attend` gave. */
export function attendBackward(
  backend: DinoWebGPUBackend,
  { dy, qkv, mixed }: Readonly<Record<"dy" | "qkv" | "mixed", tf.TensorInfo>>,
  attributes: AttentionAttributes,
): tf.TensorInfo {
  const { heads, segments } = attributes;
  const [rows, dim] = dy.shape as [number, number];
  const head = dim / heads;
  const { tile, scalars, groups } = plan(rows, head, attributes);
  const isHalf = backend.isHalf(qkv);
  const alongs = backend.output([rows, heads]);
  const dQkv = backend.output([rows, 3 * dim]);
  const slots = segmentSlots(segments);
  backend.run(programs.queries(tile, slots, isHalf), {
    reads: [qkv, dy, mixed],
    writes: [dQkv, alongs],
    scalars,
    groups,
  });
  backend.run(programs.keys(tile, slots, isHalf), {
    reads: [qkv, dy, mixed, alongs],
    writes: [dQkv],
    scalars,
    groups,
  });
  backend.free(alongs);
  return dQkv;
}

/** Whether heads of this width are computed by these programs. */
export function takesHeads(dim: number, heads: number): boolean {
  return attentionTile(dim / heads) !== undefined;
}

export const attentionKernels: readonly WebgpuKernel[] = [
  webgpuKernel<{ readonly qkv: tf.TensorInfo }, AttentionAttributes>(
    "DinoAttention",
    ({ inputs: { qkv }, attributes, backend }) => {
      const mixed = attend(backend, qkv, attributes);
      const [rows, width] = qkv.shape as [number, number];
      const y = backend.firstValues(mixed, [rows, width / 3]);
      backend.free(mixed);
      return [y];
    },
  ),

  webgpuKernel<{ readonly dy: tf.TensorInfo; readonly qkv: tf.TensorInfo }, AttentionAttributes>(
    "DinoAttentionBackward",
    ({ inputs: { dy, qkv }, attributes, backend }) => {
      const mixed = attend(backend, qkv, attributes);
      const dQkv = attendBackward(backend, { dy, qkv, mixed }, attributes);
      backend.free(mixed);
      return [dQkv];
    },
  ),
];
