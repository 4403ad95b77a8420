import {
  attentionBlock,
  classAttentionBlock,
  linear,
  mlpBlock,
  type Params,
  valueAndGradients,
} from "@dino/ops";
import { named } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";

const dim = 6;
const segments = [{ sequences: 2, tokens: 3 }];
const params: Params = {
  "norm1.weight": tf.ones([dim]),
  "norm1.bias": tf.zeros([dim]),
  "attn.qkv.weight": named("qkv", [3 * dim, dim]),
  "attn.qkv.bias": tf.zeros([3 * dim]),
  "attn.proj.weight": named("proj", [dim, dim]),
  "attn.proj.bias": tf.zeros([dim]),
  "norm2.weight": tf.ones([dim]),
  "norm2.bias": tf.zeros([dim]),
  "mlp.fc1.weight": named("fc1", [2 * dim, dim]),
  "mlp.fc1.bias": tf.zeros([2 * dim]),
  "mlp.fc2.weight": named("fc2", [dim, 2 * dim]),
  "mlp.fc2.bias": tf.zeros([dim]),
};
const [weight, bias] = [params["attn.proj.weight"], params["attn.proj.bias"]] as [
  tf.Tensor2D,
  tf.Tensor1D,
];

const operations: Readonly<Record<string, (x: tf.Tensor2D) => tf.Tensor2D>> = {
  AttentionBlock: (x) => attentionBlock(params, x, { heads: 2, segments }),
  ClassAttentionBlock: (x) => classAttentionBlock(params, x, { heads: 2, segments }),
  MlpBlock: (x) => mlpBlock(params, x, { segments }),
  Linear: (x) => linear(x, weight, bias, { activation: "gelu" }),
};

/** What the forward kernel was told of the gradient and how many outputs it gave, at its first call in `run`. */
function firstCall(name: string, run: () => void): [forGradient: unknown, outputs: number] {
  const kernelName = `Dino${name}`;
  const stock = tf.getKernel(kernelName, "cpu") as tf.KernelConfig;
  const calls: [unknown, number][] = [];
  tf.unregisterKernel(kernelName, "cpu");
  tf.registerKernel({
    ...stock,
    kernelFunc: (call) => {
      const outputs = stock.kernelFunc(call) as tf.TensorInfo[];
      calls.push([call.attrs?.forGradient, outputs.length]);
      return outputs;
    },
  });
  run();
  tf.unregisterKernel(kernelName, "cpu");
  tf.registerKernel(stock);
  return calls[0] as [unknown, number];
}

test.each([
  ["AttentionBlock", 5],
  ["ClassAttentionBlock", 6],
  ["MlpBlock", 4],
  ["Linear", 2],
])("%s gives what a gradient needs only where one may be asked for", (name, outputs) => {
  const run = operations[name] as (x: tf.Tensor2D) => tf.Tensor2D;
  const x = named<tf.Tensor2D>("x", [6, dim]);
  const loss = ({ x }: Params) => tf.sum<tf.Scalar>(run(x as tf.Tensor2D));
  const plain = run(x); // registers the composite
  const differentiated = firstCall(name, () => tf.dispose(valueAndGradients({ x }, loss)));
  const alone = firstCall(name, () => tf.dispose(run(x)));
  expect(differentiated).toEqual([true, outputs]);
  expect(alone).toEqual([false, 1]);
  tf.dispose([plain, x]);
});

test("a value is the same with a gradient and without", () => {
  const x = named<tf.Tensor2D>("x", [6, dim]);
  for (const run of Object.values(operations)) {
    const { value, gradients } = valueAndGradients({ x }, ({ x }) => tf.sum(run(x as tf.Tensor2D)));
    expect(value.dataSync()[0]).toBe(tf.sum(run(x)).dataSync()[0]);
    tf.dispose([value, gradients]);
  }
});
