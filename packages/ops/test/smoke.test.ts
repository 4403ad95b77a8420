import * as ops from "@dino/ops";
import { named, onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";

const t = (name: string, shape: number[]) => named<any>(name, shape);
const segs = [{ sequences: 2, tokens: 3 }, { sequences: 3, tokens: 1 }];
const cases: Record<string, [Record<string, number[]>, (p: any) => tf.Tensor]> = {
  linear: [{ x: [9, 5], w: [7, 5], b: [7] }, ({ x, w, b }) => ops.linear(x, w, b)],
  linearGelu: [{ x: [9, 5], w: [7, 5], b: [7] }, ({ x, w, b }) => ops.linear(x, w, b, { activation: "gelu" })],
  linearRelu: [{ x: [3, 3, 5], w: [7, 5], b: [7] }, ({ x, w, b }) => ops.linear(x, w, b, { activation: "relu" })],
  gelu: [{ x: [9, 5] }, ({ x }) => ops.gelu(x)],
  layerNorm: [{ x: [9, 5], w: [5], b: [5] }, ({ x, w, b }) => ops.layerNorm(x, w, b)],
  attention: [{ x: [9, 30] }, ({ x }) => ops.attention(x, { heads: 2, segments: segs })],
  attentionBlock: [
    { x: [9, 10], "norm1.weight": [10], "norm1.bias": [10], "attn.qkv.weight": [30, 10], "attn.qkv.bias": [30], "attn.proj.weight": [10, 10], "attn.proj.bias": [10] },
    (p) => ops.attentionBlock(p, p.x, { heads: 2, segments: segs, pathScale: tf.tensor1d([0, 1.25, 1.25, 0, 1.25]) })],
  mlpBlock: [
    { x: [9, 10], "norm2.weight": [10], "norm2.bias": [10], "mlp.fc1.weight": [30, 10], "mlp.fc1.bias": [30], "mlp.fc2.weight": [10, 30], "mlp.fc2.bias": [10] },
    (p) => ops.mlpBlock(p, p.x, { segments: segs, pathScale: tf.tensor1d([0, 1.25, 1.25, 0, 1.25]) })],
  patchEmbed: [{ weight: [6, 3, 4, 4], bias: [6], classToken: [1, 1, 6], positions: [7, 6] },
    (p) => ops.patchEmbed(t("img", [2, 9, 14, 3]), p)],
  patchEmbedPix: [{ images: [2, 9, 14, 3], weight: [6, 3, 4, 4], bias: [6], classToken: [1, 1, 6], positions: [7, 6] },
    (p) => ops.patchEmbed(p.images, p, { pixelGradients: true })],
  resample: [{ x: [9, 5] }, ({ x }) => ops.resample(x, t("m", [4, 9]))],
  classTokens: [{ x: [9, 5] }, ({ x }) => ops.classTokens(x, segs)],
  l2: [{ x: [3, 2, 5] }, ({ x }) => ops.l2Normalize(x)],
  wn: [{ x: [9, 5], gain: [4, 1], dir: [4, 5] }, ({ x, gain, dir }) => ops.weightNormLinear(x, gain, dir)],
  ce: [{ x: [5, 3, 4] }, ({ x }) => ops.dinoCrossEntropy(x, tf.softmax(t("q", [2, 3, 4])), { temperature: 0.1 })],
  bn: [{ x: [9, 5], w: [5], b: [5] }, ({ x, w, b }) => ops.batchNormTraining(x, w, b).output],
};

onEveryBackend(() => {
  test.each(Object.keys(cases))("%s runs", (name) => {
    const [shapes, f] = cases[name]!;
    const params = Object.fromEntries(Object.entries(shapes).map(([k, s]) => [k, t(name + k, s)]));
    const { value, gradients } = ops.valueAndGradients(params, (p) => tf.sum(f(p)));
    expect(Number.isFinite(value.dataSync()[0])).toBe(true);
    for (const k in shapes) {
      expect(gradients[k]?.shape, k).toEqual(shapes[k]);
      expect(gradients[k]!.dataSync().every(Number.isFinite)).toBe(true);
    }
  });
  test("updates run", () => {
    const p = t("p", [3, 4]), g = t("g", [3, 4]), m = tf.zeros([3, 4]), v = tf.zeros([3, 4]);
    ops.adamW({ parameter: p, gradient: g, moment1: m, moment2: v }, { learningRate: .1, weightDecay: .1, beta1: .9, beta2: .999, epsilon: 1e-8, step: 1 }).parameter.dataSync();
    ops.sgd({ parameter: p, gradient: g }, { learningRate: .1, weightDecay: .1, momentum: .9 }).buffer.dataSync();
    const u = ops.lars({ parameter: p, gradient: g }, { learningRate: .1, weightDecay: .1, momentum: .9, trust: 1e-3 });
    u.buffer.dataSync(); u.parameter.dataSync();
    ops.ema(p, g, { momentum: .9 }).dataSync(); ops.clipByNorm(g, { maximum: .1 }).dataSync(); ops.squaredNorm(g).dataSync();
    ops.attentionWeights(t("a", [6, 30]), { heads: 2, sequences: 2, tokens: 3 }).dataSync();
  });
});
