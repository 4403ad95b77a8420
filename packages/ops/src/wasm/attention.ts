import * as tf from "@tensorflow/tfjs-core";
import { attentionBackward, attentionForward } from "../composite/attention.ts";
import { bySegment } from "../composite/segments.ts";
import { addKernel } from "../repair/replace-kernel.ts";
import { worthACall } from "../repair/wasm-mat-mul.ts";
import type { Segment } from "../segment.ts";
import { heapViews, type WasmHeap } from "./heap.ts";
import { type Head, headScratch, loadHead, mix, probabilities, slopes } from "./short-attention.ts";

interface Attributes {
  readonly heads: number;
  readonly segments: readonly Segment[];
}

/**
 * Attention within short sequences, head by head without a transpose: tfjs-wasm multiplies a batch
 * of small matrices with a scalar loop. Long sequences take the composite, whose products are
 * large enough for XNNPACK.
 */
export function attentionOfShortSequences(backendName: string): void {
  addKernel("DinoAttention", backendName, ({ inputs, attrs, backend }) => {
    const { qkv } = inputs as { readonly qkv: tf.Tensor2D };
    const { heads, segments } = attrs as unknown as Attributes;
    const width = qkv.shape[1] / (3 * heads);
    return tf.tidy(() => [
      bySegment([qkv], segments, ([rows], segment) =>
        isShort(segment, width)
          ? shortForward(backend as WasmHeap, rows as tf.Tensor2D, segment, heads)
          : attentionForward(rows as tf.Tensor2D, [segment], heads),
      ),
    ]);
  });

  addKernel("DinoAttentionBackward", backendName, ({ inputs, attrs, backend }) => {
    const { qkv, dy } = inputs as { readonly qkv: tf.Tensor2D; readonly dy: tf.Tensor2D };
    const { heads, segments } = attrs as unknown as Attributes;
    const width = qkv.shape[1] / (3 * heads);
    return tf.tidy(() => [
      bySegment([qkv, dy], segments, ([rows, dRows], segment) =>
        isShort(segment, width)
          ? shortBackward(
              backend as WasmHeap,
              rows as tf.Tensor2D,
              dRows as tf.Tensor2D,
              segment,
              heads,
            )
          : attentionBackward(dRows as tf.Tensor2D, rows as tf.Tensor2D, [segment], heads),
      ),
    ]);
  });
}

function isShort({ tokens }: Segment, width: number): boolean {
  return tokens * tokens * width < worthACall;
}

function shortForward(
  backend: WasmHeap,
  qkv: tf.Tensor2D,
  segment: Segment,
  heads: number,
): tf.Tensor2D {
  const dim = qkv.shape[1] / 3;
  const out = backend.makeOutput([qkv.shape[0], dim], "float32");
  const [from, to] = heapViews(backend, [qkv, out]) as [Float32Array, Float32Array];
  forEachHead(segment, dim, heads, (head, row, column) => {
    const { tokens, width, p, v } = head;
    loadHead(head, from, 3 * dim, row, column);
    for (let token = 0; token < tokens; token++) {
      probabilities(head, token);
      mix(p, token * tokens, 1, v, tokens, width, to, (row + token) * dim + column);
    }
  });
  return tf.engine().makeTensorFromTensorInfo(out) as tf.Tensor2D;
}

function shortBackward(
  backend: WasmHeap,
  qkv: tf.Tensor2D,
  dy: tf.Tensor2D,
  segment: Segment,
  heads: number,
): tf.Tensor2D {
  const dim = dy.shape[1];
  const out = backend.makeOutput(qkv.shape, "float32");
  const [from, dOut, to] = heapViews(backend, [qkv, dy, out]) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  forEachHead(segment, dim, heads, (head, row, column) => {
    const { tokens, width, q, k, p, s, dOut: d } = head;
    loadHead(head, from, 3 * dim, row, column, dOut);
    for (let token = 0; token < tokens; token++) {
      probabilities(head, token);
      slopes(head, token);
    }
    for (let token = 0; token < tokens; token++) {
      const at = (row + token) * 3 * dim + column;
      mix(s, token * tokens, 1, k, tokens, width, to, at);
      mix(s, token, tokens, q, tokens, width, to, at + dim);
      mix(p, token, tokens, d, tokens, width, to, at + 2 * dim);
    }
  });
  return tf.engine().makeTensorFromTensorInfo(out) as tf.Tensor2D;
}

/** Calls `visit` with scratch for every head of every sequence, its first row and column. */
function forEachHead(
  { sequences, tokens }: Segment,
  dim: number,
  heads: number,
  visit: (head: Head, row: number, column: number) => void,
): void {
  const scratch = headScratch(tokens, dim / heads);
  for (let sequence = 0; sequence < sequences; sequence++) {
    for (let head = 0; head < heads; head++) {
      visit(scratch, sequence * tokens, head * scratch.width);
    }
  }
}
