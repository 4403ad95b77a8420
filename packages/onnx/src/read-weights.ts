import { assertShape, type Params, parameter } from "@dino/ops";
import type { Weight, Weights } from "./layers.ts";

/** Every parameter as plain numbers, its shape checked; null stands for any size. */
export async function readWeights(
  shapes: Readonly<Record<string, readonly (number | null)[]>>,
  params: Params,
): Promise<Weights> {
  const weights = new Map<string, Weight>();
  for (const [name, shape] of Object.entries(shapes)) {
    const tensor = parameter(params, name);
    assertShape(name, tensor, shape);
    weights.set(name, {
      name,
      shape: tensor.shape,
      values: (await tensor.data()) as Float32Array,
    });
  }
  return (name) => weights.get(name) as Weight;
}
