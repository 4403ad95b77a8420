import type { Segment } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import { attentionBlockPrograms, mlpBlockPrograms } from "./block-programs.ts";
import { works } from "./node-backend.ts";
import type { Program } from "./program.ts";
import { type LoadOptions, loadPrograms, type Programs } from "./programs.ts";

type Inputs<Name extends string> = Readonly<Record<Name, tf.Tensor>>;
type Block = Inputs<"x" | "normWeight" | "normBias"> & { readonly pathScale?: tf.Tensor1D };
type AttentionWeights = Inputs<"qkvWeight" | "projWeight">;
type MlpWeights = Inputs<"fc1Weight" | "fc2Weight">;
type Saved = Inputs<"dy" | "mean" | "inverseStd">;

interface MlpAttributes {
  readonly segments: readonly Segment[];
  readonly epsilon: number;
}
interface AttentionAttributes extends MlpAttributes {
  readonly heads: number;
}
type Forward<Attributes> = Attributes & { readonly forGradient: boolean };

type ProgramName = "forward" | "forwardAlone" | "backward";

/**
 * Kernels for the halves of a transformer block, each a single graph that TensorFlow runs as a
 * whole. The graphs are made for the shapes that they meet, and kept. None where this build of
 * TensorFlow lacks oneDNN's operations.
 */
export function blockKernels(
  options: LoadOptions,
): Readonly<Record<string, (inputs: never, attributes: never) => tf.Tensor[]>> {
  const loaded = new Map<string, Programs<ProgramName>>();
  const programsOf = (key: unknown, make: () => Readonly<Record<ProgramName, Program>>) => {
    const name = JSON.stringify(key);
    const found = loaded.get(name) ?? loadPrograms(make(), options);
    loaded.set(name, found);
    return found;
  };
  const attention = (
    x: tf.Tensor,
    { heads, segments }: AttentionAttributes,
    hasFactors: boolean,
  ) => {
    const shape = { dim: x.shape[1] as number, heads, segments };
    return programsOf({ ...shape, hasFactors }, () =>
      attentionBlockPrograms(shape, { hasFactors }),
    );
  };
  const mlp = (x: tf.Tensor, hasFactors: boolean) => {
    const dim = x.shape[1] as number;
    return programsOf({ dim, hasFactors }, () => mlpBlockPrograms(dim, { hasFactors }));
  };
  const kernels = {
    AttentionBlock: (
      of: Block & AttentionWeights & Inputs<"qkvBias" | "projBias">,
      attributes: Forward<AttentionAttributes>,
    ) => {
      const { x, normWeight, normBias, qkvWeight, projWeight, qkvBias, projBias } = of;
      const factors = factorsOf(of, attributes);
      const inputs = [x, normWeight, normBias, qkvWeight, projWeight, qkvBias, projBias];
      const programs = attention(x, attributes, factors.length > 0);
      return forward(programs, [...inputs, ...factors], attributes);
    },
    AttentionBlockBackward: (
      of: Block & AttentionWeights & Saved & Inputs<"qkv" | "mixed">,
      attributes: AttentionAttributes,
    ) => {
      const { dy, x, normWeight, normBias, qkvWeight, projWeight } = of;
      const factors = factorsOf(of, attributes);
      const inputs = [dy, x, normWeight, normBias, qkvWeight, projWeight];
      const saved = [of.mean, of.inverseStd, of.qkv, of.mixed];
      const programs = attention(x, attributes, factors.length > 0);
      return programs.run("backward", [...inputs, ...saved, ...factors]);
    },
    MlpBlock: (
      of: Block & MlpWeights & Inputs<"fc1Bias" | "fc2Bias">,
      attributes: Forward<MlpAttributes>,
    ) => {
      const { x, normWeight, normBias, fc1Weight, fc2Weight, fc1Bias, fc2Bias } = of;
      const factors = factorsOf(of, attributes);
      const inputs = [x, normWeight, normBias, fc1Weight, fc2Weight, fc1Bias, fc2Bias];
      return forward(mlp(x, factors.length > 0), [...inputs, ...factors], attributes);
    },
    MlpBlockBackward: (
      of: Block & MlpWeights & Saved & Inputs<"hidden">,
      attributes: MlpAttributes,
    ) => {
      const { dy, x, normWeight, normBias, fc1Weight, fc2Weight } = of;
      const factors = factorsOf(of, attributes);
      const inputs = [dy, x, normWeight, normBias, fc1Weight, fc2Weight];
      const saved = [of.mean, of.inverseStd, of.hidden];
      return mlp(x, factors.length > 0).run("backward", [...inputs, ...saved, ...factors]);
    },
  };
  const isWhole = works(() => {
    const segments = [{ sequences: 1, tokens: 1 }];
    const attributes = { heads: 1, segments, epsilon: 1, forGradient: false };
    const row = tf.ones([1, 1]);
    const weight = tf.ones([1]);
    const norm = { x: row, normWeight: weight, normBias: weight };
    const attending = { qkvWeight: tf.ones([3, 1]), qkvBias: tf.ones([3]), projWeight: row };
    kernels.AttentionBlock({ ...norm, ...attending, projBias: weight }, attributes);
    const linear = { fc1Weight: row, fc1Bias: weight, fc2Weight: row, fc2Bias: weight };
    return kernels.MlpBlock({ ...norm, ...linear }, attributes);
  });
  return isWhole ? kernels : {};
}

function forward(
  { run }: Programs<ProgramName>,
  inputs: readonly tf.Tensor[],
  { forGradient, epsilon }: Forward<MlpAttributes>,
): tf.Tensor[] {
  return run(forGradient ? "forward" : "forwardAlone", inputs, { numbers: [epsilon] });
}

/** What each row's branch is multiplied by, `[rows, 1]`, where sequences have factors. */
function factorsOf(
  { pathScale }: { readonly pathScale?: tf.Tensor1D },
  { segments }: { readonly segments: readonly Segment[] },
): readonly tf.Tensor[] {
  if (pathScale === undefined) return [];
  const lengths = segments.flatMap(({ sequences, tokens }) =>
    Array<number>(sequences).fill(tokens),
  );
  const sequenceOfRow = lengths.flatMap((tokens, i) => Array<number>(tokens).fill(i));
  const factors = tf.gather(pathScale, tf.tensor1d(sequenceOfRow, "int32"));
  return [tf.reshape(factors, [-1, 1])];
}
