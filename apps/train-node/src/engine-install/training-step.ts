import "@dino/ops/gradients";
import { installedRoot, loadPackage, registerTensorflowKernels } from "@dino/backend/tensorflow";
import {
  adamW,
  attentionBlock,
  conv2d,
  dinoCrossEntropy,
  mlpBlock,
  type Params,
  valueAndGradients,
} from "@dino/ops";
import { key, random } from "@dino/random";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";

/** What came of the step. */
export interface StepOutcome {
  /** Version of TensorFlow. */
  readonly version: string;
  readonly gpu: boolean;
  readonly seconds: number;
  /** The largest difference from the cpu backend, relative to the largest value of its tensor. */
  readonly error: number;
}

const dim = 24;
const segments = [
  { sequences: 4, tokens: 5 },
  { sequences: 4, tokens: 3 },
];
const rows = 32;

const shapes: Readonly<Record<string, readonly number[]>> = {
  "norm1.weight": [dim],
  "norm1.bias": [dim],
  "attn.qkv.weight": [3 * dim, dim],
  "attn.qkv.bias": [3 * dim],
  "attn.proj.weight": [dim, dim],
  "attn.proj.bias": [dim],
  "norm2.weight": [dim],
  "norm2.bias": [dim],
  "mlp.fc1.weight": [4 * dim, dim],
  "mlp.fc1.bias": [4 * dim],
  "mlp.fc2.weight": [dim, 4 * dim],
  "mlp.fc2.bias": [dim],
  kernel: [6, 3, 3, 3],
};

type Values = Readonly<Record<string, readonly number[]>>;

/** One training step of a transformer block and a convolution, on a backend; its figures by name. */
async function step(backend: string): Promise<Values> {
  await tf.setBackend(backend);
  const stream = random(key(1));
  const draw = (shape: readonly number[]) =>
    tf.tensor(
      Array.from({ length: tf.util.sizeFromShape([...shape]) }, () => stream.uniform(-0.5, 0.5)),
      [...shape],
    );
  const params: Params = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, draw(shape)]),
  );
  const [x, pictures] = [draw([rows, dim]) as tf.Tensor2D, draw([2, 9, 9, 3]) as tf.Tensor4D];
  const targets = tf.softmax(draw([2, 4, rows * 6]) as tf.Tensor3D);
  const loss = (p: Params) =>
    tf.tidy(() => {
      const attended = attentionBlock(p, x, { heads: 3, segments });
      const tokens = mlpBlock(p, attended, { segments });
      const logits = tf.reshape(tf.concat([tokens, tf.neg(tokens)]), [2, 4, rows * 6]);
      const convolved = conv2d(pictures, p.kernel as tf.Tensor4D, { stride: 2, padding: 1 });
      const entropy = dinoCrossEntropy(logits as tf.Tensor3D, targets, { temperature: 0.1 });
      return tf.add<tf.Scalar>(entropy, tf.mean(tf.square(convolved)));
    });
  const { value, gradients } = valueAndGradients(params, loss);
  const found: Record<string, readonly number[]> = { loss: [...(await value.data())] };
  for (const [name, gradient] of Object.entries(gradients)) {
    found[`gradient of ${name}`] = [...(await gradient.data())];
    const parameter = params[name] as tf.Tensor;
    const zeros = tf.zerosLike(parameter);
    const updated = adamW(
      { parameter, gradient, moment1: zeros, moment2: zeros },
      // The first step is the gradient's sign, were it not for an epsilon beyond rounding errors.
      { learningRate: 0.01, weightDecay: 0.04, beta1: 0.9, beta2: 0.999, epsilon: 0.01, step: 1 },
    );
    found[name] = [...(await updated.parameter.data())];
  }
  return found;
}

/** How far apart two sets of figures are: of each tensor, relative to its largest value. */
export function largestError(values: Values, expected: Values): number {
  let worst = 0;
  for (const [name, wanted] of Object.entries(expected)) {
    const got = values[name] ?? [];
    const scale = Math.max(...wanted.map(Math.abs), Number.MIN_VALUE);
    wanted.forEach((value, i) => {
      const error = Math.abs((got[i] ?? Number.NaN) - value) / scale;
      worst = Math.max(error, worst); // a NaN stays
    });
  }
  return worst;
}

/** Loads the engine in `folder` and compares a training step on it with one on the cpu backend. */
export async function trainingStep(folder: string): Promise<StepOutcome> {
  await tf.setBackend("cpu");
  const expected = await step("cpu");
  await loadPackage("@tensorflow/tfjs-node", installedRoot(folder));
  await tf.setBackend("tensorflow");
  registerTensorflowKernels();
  const start = performance.now();
  const values = await step("tensorflow");
  const seconds = (performance.now() - start) / 1000;
  const { binding, isUsingGpuDevice } = tf.backend() as unknown as {
    readonly binding: { readonly TF_Version: string };
    readonly isUsingGpuDevice: boolean;
  };
  return {
    version: binding.TF_Version,
    gpu: isUsingGpuDevice,
    seconds,
    error: largestError(values, expected),
  };
}
