import {
  attentionBlock,
  classAttentionBlock,
  dinoCrossEntropy,
  linear,
  mlpBlock,
  type Params,
  patchEmbed,
  valueAndGradients,
  weightNormLinear,
} from "@dino/ops";
import { named } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";

/** The parameters of a block of so many columns. */
export function blockShapes(dim: number, hidden = 4 * dim): Record<string, readonly number[]> {
  return {
    "norm1.weight": [dim],
    "norm1.bias": [dim],
    "attn.qkv.weight": [3 * dim, dim],
    "attn.qkv.bias": [3 * dim],
    "attn.proj.weight": [dim, dim],
    "attn.proj.bias": [dim],
    "norm2.weight": [dim],
    "norm2.bias": [dim],
    "mlp.fc1.weight": [hidden, dim],
    "mlp.fc1.bias": [hidden],
    "mlp.fc2.weight": [dim, hidden],
    "mlp.fc2.bias": [dim],
  };
}

const dim = 40;
const segments = [
  { sequences: 2, tokens: 26 },
  { sequences: 3, tokens: 10 },
];
const shapes: Readonly<Record<string, readonly number[]>> = {
  ...blockShapes(dim),
  "patch.weight": [dim, 3, 3, 3],
  "patch.bias": [dim],
  "patch.class": [1, 1, dim],
  "patch.large": [26, dim],
  "patch.small": [10, dim],
  "hidden.weight": [70, dim],
  "hidden.bias": [70],
  "last.direction": [203, 70],
};

/** Values behind names, as large as layers have them: the same at each call. */
function parameters(): Params {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const size = shape.length > 1 ? (3 / (shape.at(-1) as number)) ** 0.5 : 0.2;
      return [name, named(name, shape, -size, size)];
    }),
  );
}

/** A step through every operation of DINO: its loss and gradients, by name. */
export async function step(): Promise<Map<string, Float32Array>> {
  const params = parameters();
  const crops = [named<tf.Tensor4D>("a", [2, 15, 15, 3]), named<tf.Tensor4D>("b", [3, 9, 9, 3])];
  const gain = tf.ones<tf.Rank.R2>([203, 1]);
  const targets = tf.softmax(named<tf.Tensor3D>("targets", [1, 1, 203], -3, 3));
  const { value, gradients } = valueAndGradients(params, (p) => {
    const embedded = crops.map((images, i) =>
      patchEmbed(images, {
        weight: p["patch.weight"] as tf.Tensor4D,
        bias: p["patch.bias"] as tf.Tensor1D,
        classToken: p["patch.class"] as tf.Tensor3D,
        positions: p[i === 0 ? "patch.large" : "patch.small"] as tf.Tensor2D,
      }),
    );
    const pathScale = tf.tensor1d([1, 0, 1.25, 1, 1.25]);
    let x = attentionBlock(p, tf.concat(embedded), { heads: 4, segments, pathScale });
    x = mlpBlock(p, x, { segments, pathScale });
    x = classAttentionBlock(p, x, { heads: 4, segments });
    const features = linear(x, p["hidden.weight"] as tf.Tensor2D, p["hidden.bias"] as tf.Tensor1D, {
      activation: "gelu",
    });
    const logits = weightNormLinear(features, gain, p["last.direction"] as tf.Tensor2D);
    const student = tf.reshape(logits, [5, 1, 203]) as tf.Tensor3D;
    return dinoCrossEntropy(student, targets, { temperature: 0.1 });
  });
  const found = new Map<string, Float32Array>();
  for (const [name, tensor] of Object.entries({ ...gradients, loss: value })) {
    found.set(name, Float32Array.from(await tensor.data()));
  }
  tf.dispose([params, crops, gain, targets, value, gradients]);
  return found;
}

/** The largest difference, by name, in parts of the largest value. */
export function differences(
  a: ReadonlyMap<string, Float32Array>,
  b: ReadonlyMap<string, Float32Array>,
): readonly (readonly [name: string, difference: number])[] {
  return [...a].map(([name, values]) => {
    const others = b.get(name) as Float32Array;
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
    const off = values.reduce((most, value, i) => {
      return Math.max(most, Math.abs(value - (others[i] as number)));
    }, 0);
    return [name, off / largest] as const;
  });
}
