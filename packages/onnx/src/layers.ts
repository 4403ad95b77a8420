import type { Graph } from "./graph.ts";

/** Weights by their names below a prefix, as plain numbers in PyTorch's shapes. */
export type Weights = (name: string) => Weight;

export interface Weight {
  /** What it is called in the file. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A weight as a constant of the graph, as it is. */
export function constantOf(graph: Graph, { name, shape, values }: Weight): string {
  return graph.constant(name, values, shape);
}

/** `x W^T + b`: the weight `[out, in]` is turned here, once, so that a runtime multiplies as it is. */
export function linear(graph: Graph, x: string, weight: Weight, bias: Weight): string {
  const [rows, columns] = weight.shape as [number, number];
  const turned = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = weight.values[row * columns + column] as number;
    }
  }
  const product = graph.node("MatMul", [x, graph.constant(weight.name, turned, [columns, rows])]);
  return graph.node("Add", [product, constantOf(graph, bias)]);
}

/**
 * Normalisation over the last axis, in the operations of old opsets: newer runtimes know the
 * pattern and fuse it.
 */
export function layerNorm(graph: Graph, x: string, weight: Weight, bias: Weight): string {
  const mean = (of: string) => {
    return graph.node("ReduceMean", [of], { attributes: { axes: [-1], keepdims: 1 } });
  };
  const centered = graph.node("Sub", [x, mean(x)]);
  const variance = mean(graph.node("Pow", [centered, graph.scalar(2)]));
  const deviation = graph.node("Sqrt", [graph.node("Add", [variance, graph.scalar(1e-6)])]);
  const unit = graph.node("Div", [centered, deviation]);
  const scaled = graph.node("Mul", [unit, constantOf(graph, weight)]);
  return graph.node("Add", [scaled, constantOf(graph, bias)]);
}

/** The exact GELU, in the operations of old opsets. */
export function gelu(graph: Graph, x: string): string {
  const erf = graph.node("Erf", [graph.node("Div", [x, graph.scalar(Math.SQRT2)])]);
  const share = graph.node("Add", [erf, graph.scalar(1)]);
  return graph.node("Mul", [graph.node("Mul", [x, share]), graph.scalar(0.5)]);
}
