import type { Graph } from "./graph.ts";
import { constantOf, gelu, layerNorm, linear, type Weight, type Weights } from "./layers.ts";

export interface VitGraphOptions {
  readonly depth: number;
  readonly heads: number;
  readonly embedDim: number;
  readonly patchSize: number;
}

/** The names of what goes in and comes out. */
export const names = {
  images: "images",
  classToken: "class_token",
  patchTokens: "patch_tokens",
  attention: "attention",
} as const;

/**
 * Adds a Vision Transformer to a graph, from `images` to the three outputs. `positions` are those
 * of the size of picture that the graph is for, `[1 + patches, embedDim]`.
 */
export function vitGraph(
  graph: Graph,
  weights: Weights,
  positions: Weight,
  options: VitGraphOptions,
): void {
  let x = tokens(graph, weights, positions, options);
  for (let i = 0; i < options.depth; i++) {
    const own: Weights = (name) => weights(`blocks.${i}.${name}`);
    const isLast = i === options.depth - 1;
    x = block(graph, own, x, { ...options, output: isLast ? names.attention : undefined });
  }
  const normed = layerNorm(graph, x, weights("norm.weight"), weights("norm.bias"));
  const [first, second, all] = [0, 1, Number.MAX_SAFE_INTEGER].map((at) => graph.integers(at));
  const ofTokens = [second, all, second] as string[]; // from 1 on, to the end, of axis 1
  graph.node("Slice", [normed, ...ofTokens], { output: names.patchTokens });
  const alone = graph.node("Slice", [normed, first, second, second] as string[]);
  const shape = graph.integers(0, options.embedDim); // 0: the batch as it is
  graph.node("Reshape", [alone, shape], { output: names.classToken });
}

/** The class token and the patches with their positions: `[batch, 1 + patches, embedDim]`. */
function tokens(
  graph: Graph,
  weights: Weights,
  positions: Weight,
  { embedDim, patchSize }: VitGraphOptions,
): string {
  const square = [patchSize, patchSize];
  const convolved = graph.node(
    "Conv",
    [
      names.images,
      constantOf(graph, weights("patch_embed.proj.weight")),
      constantOf(graph, weights("patch_embed.proj.bias")),
    ],
    { attributes: { kernel_shape: square, strides: square } },
  );
  const flat = graph.node("Reshape", [convolved, graph.integers(0, embedDim, -1)]);
  const patches = graph.node("Transpose", [flat], { attributes: { perm: [0, 2, 1] } });

  const batch = graph.node("Gather", [graph.node("Shape", [names.images]), graph.integers(0)]);
  const shape = graph.node("Concat", [batch, graph.integers(1, embedDim)], {
    attributes: { axis: 0 },
  });
  const first = graph.node("Expand", [constantOf(graph, weights("cls_token")), shape]);
  const all = graph.node("Concat", [first, patches], { attributes: { axis: 1 } });
  return graph.node("Add", [all, constantOf(graph, positions)]);
}

function block(
  graph: Graph,
  weights: Weights,
  x: string,
  options: VitGraphOptions & { readonly output: string | undefined },
): string {
  const normed = layerNorm(graph, x, weights("norm1.weight"), weights("norm1.bias"));
  const y = graph.node("Add", [x, attention(graph, weights, normed, options)]);
  const again = layerNorm(graph, y, weights("norm2.weight"), weights("norm2.bias"));
  const hidden = linear(graph, again, weights("mlp.fc1.weight"), weights("mlp.fc1.bias"));
  const out = gelu(graph, hidden);
  return graph.node("Add", [
    y,
    linear(graph, out, weights("mlp.fc2.weight"), weights("mlp.fc2.bias")),
  ]);
}

function attention(
  graph: Graph,
  weights: Weights,
  x: string,
  { heads, embedDim, output }: VitGraphOptions & { readonly output: string | undefined },
): string {
  const dim = embedDim / heads;
  const qkv = linear(graph, x, weights("attn.qkv.weight"), weights("attn.qkv.bias"));
  const parts = graph.integers(embedDim, embedDim, embedDim);
  const [q, k, v] = graph.nodes3("Split", [qkv, parts], { attributes: { axis: 2 } });
  const split = (part: string, perm: readonly number[]) => {
    const byHead = graph.node("Reshape", [part, graph.integers(0, 0, heads, dim)]);
    return graph.node("Transpose", [byHead], { attributes: { perm } });
  };
  const product = graph.node("MatMul", [split(q, [0, 2, 1, 3]), split(k, [0, 2, 3, 1])]);
  const scores = graph.node("Mul", [product, graph.scalar(dim ** -0.5)]);
  const share = graph.node("Softmax", [scores], {
    attributes: { axis: -1 },
    ...(output !== undefined && { output }),
  });
  const mixed = graph.node("MatMul", [share, split(v, [0, 2, 1, 3])]);
  const together = graph.node("Transpose", [mixed], { attributes: { perm: [0, 2, 1, 3] } });
  const joined = graph.node("Reshape", [together, graph.integers(0, 0, embedDim)]);
  return linear(graph, joined, weights("attn.proj.weight"), weights("attn.proj.bias"));
}
