import type { Segment } from "@dino/ops";
import { at, linear, type Values } from "./linear.ts";
import { layerNorm } from "./norms.ts";

/** Softmax of `values`. */
export function softmax(values: readonly number[]): number[] {
  const largest = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** One sequence's probabilities of one head, by query and key; `first` is the sequence's first row. */
function probabilities(
  qkv: Values,
  dim: number,
  heads: number,
  head: number,
  first: number,
  tokens: number,
): number[][] {
  const width = dim / heads;
  const element = (token: number, part: number, i: number) =>
    at(qkv, (first + token) * 3 * dim + part * dim + head * width + i);
  return range(tokens).map((query) =>
    softmax(
      range(tokens).map((key) => {
        let score = 0;
        for (let i = 0; i < width; i++) score += element(query, 0, i) * element(key, 1, i);
        return score / Math.sqrt(width);
      }),
    ),
  );
}

export function attention(
  qkv: Values,
  dim: number,
  heads: number,
  segments: readonly Segment[],
): Values {
  const width = dim / heads;
  const y = new Float64Array(qkv.length / 3);
  for (const { first, tokens } of sequences(segments)) {
    for (let head = 0; head < heads; head++) {
      const p = probabilities(qkv, dim, heads, head, first, tokens);
      for (let query = 0; query < tokens; query++) {
        for (let i = 0; i < width; i++) {
          let sum = 0;
          for (let key = 0; key < tokens; key++) {
            sum +=
              at(p[query] ?? [], key) *
              at(qkv, (first + key) * 3 * dim + 2 * dim + head * width + i);
          }
          y[(first + query) * dim + head * width + i] = sum;
        }
      }
    }
  }
  return y;
}

export function attentionWeights(
  qkv: Values,
  dim: number,
  heads: number,
  segment: Segment,
): Values {
  return Float64Array.from(
    sequences([segment]).flatMap(({ first, tokens }) =>
      range(heads).flatMap((head) => probabilities(qkv, dim, heads, head, first, tokens).flat()),
    ),
  );
}

export type Named = Readonly<Record<string, Values>>;

interface BlockSizes {
  readonly dim: number;
  readonly segments: readonly Segment[];
  readonly pathScale?: readonly number[] | undefined;
  readonly epsilon?: number;
}

export function attentionBlock(
  named: Named,
  { dim, heads, segments, pathScale, epsilon = 1e-6 }: BlockSizes & { readonly heads: number },
): Values {
  const { x, norm1Weight, norm1Bias, qkvWeight, qkvBias, projWeight, projBias } = parts(named, {
    norm1Weight: "norm1.weight",
    norm1Bias: "norm1.bias",
    qkvWeight: "attn.qkv.weight",
    qkvBias: "attn.qkv.bias",
    projWeight: "attn.proj.weight",
    projBias: "attn.proj.bias",
  });
  const qkv = linear(layerNorm(x, norm1Weight, norm1Bias, dim, epsilon), qkvWeight, qkvBias, dim);
  const branch = linear(attention(qkv, dim, heads, segments), projWeight, projBias, dim);
  return residual(x, branch, dim, segments, pathScale);
}

export function mlpBlock(
  named: Named,
  { dim, segments, pathScale, epsilon = 1e-6 }: BlockSizes,
): Values {
  const { x, norm2Weight, norm2Bias, fc1Weight, fc1Bias, fc2Weight, fc2Bias } = parts(named, {
    norm2Weight: "norm2.weight",
    norm2Bias: "norm2.bias",
    fc1Weight: "mlp.fc1.weight",
    fc1Bias: "mlp.fc1.bias",
    fc2Weight: "mlp.fc2.weight",
    fc2Bias: "mlp.fc2.bias",
  });
  const normed = layerNorm(x, norm2Weight, norm2Bias, dim, epsilon);
  const hidden = linear(normed, fc1Weight, fc1Bias, dim, "gelu");
  return residual(x, linear(hidden, fc2Weight, fc2Bias, fc1Bias.length), dim, segments, pathScale);
}

function residual(
  x: Values,
  branch: Values,
  dim: number,
  segments: readonly Segment[],
  pathScale: readonly number[] | undefined,
): Values {
  const y = new Float64Array(x.length);
  sequences(segments).forEach(({ first, tokens }, sequence) => {
    const factor = pathScale ? at(pathScale, sequence) : 1;
    for (let i = first * dim; i < (first + tokens) * dim; i++)
      y[i] = at(x, i) + factor * at(branch, i);
  });
  return y;
}

function parts<Keys extends string>(
  named: Named,
  names: Readonly<Record<Keys, string>>,
): Record<Keys | "x", Values> {
  const entries = Object.entries({ ...names, x: "x" }) as [string, string][];
  return Object.fromEntries(entries.map(([key, name]) => [key, named[name]])) as Record<
    Keys | "x",
    Values
  >;
}

/** The first row of every sequence. */
export function firstRows(x: Values, dim: number, segments: readonly Segment[]): Values {
  return Float64Array.from(
    sequences(segments).flatMap(({ first }) => [...x.slice(first * dim, (first + 1) * dim)]),
  );
}

/** The first row and the length of every sequence. */
export function sequences(segments: readonly Segment[]): { first: number; tokens: number }[] {
  let first = 0;
  return segments.flatMap(({ sequences: count, tokens }) =>
    range(count).map(() => {
      first += tokens;
      return { first: first - tokens, tokens };
    }),
  );
}

export function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}
