import type { Segment } from "@dino/ops";
import type * as tf from "@tensorflow/tfjs-core";
import { type NativeKernel, nativeKernel } from "./native-kernel.ts";

interface Attributes {
  readonly heads: number;
  readonly segments: readonly Segment[];
}

export const attentionKernels: readonly NativeKernel[] = [
  nativeKernel<{ readonly qkv: tf.TensorInfo }, Attributes>(
    "DinoAttention",
    ({ inputs: { qkv }, attributes: { heads, segments }, backend, native }) => {
      const [rows, packed] = qkv.shape as [number, number];
      const mixed = backend.output([rows, packed / 3]);
      native.attend(backend.values(qkv), backend.values(mixed), segments, heads, packed / 3);
      return [mixed];
    },
  ),

  nativeKernel<{ readonly dy: tf.TensorInfo; readonly qkv: tf.TensorInfo }, Attributes>(
    "DinoAttentionBackward",
    ({ inputs: { dy, qkv }, attributes: { heads, segments }, backend, native }) => {
      const dQkv = backend.output(qkv.shape);
      native.attendBack(
        backend.values(qkv),
        backend.values(dy),
        backend.values(dQkv),
        segments,
        heads,
        dy.shape[1] as number,
      );
      return [dQkv];
    },
  ),

  nativeKernel<
    { readonly qkv: tf.TensorInfo },
    { readonly heads: number; readonly segment: Segment }
  >("DinoAttentionWeights", ({ inputs: { qkv }, attributes, backend, native }) => {
    const { heads, segment } = attributes;
    const { sequences, tokens } = segment;
    const weights = backend.output([sequences, heads, tokens, tokens]);
    native.attendWeights(
      backend.values(qkv),
      backend.values(weights),
      sequences,
      tokens,
      heads,
      (qkv.shape[1] as number) / 3,
    );
    return [weights];
  }),
];
