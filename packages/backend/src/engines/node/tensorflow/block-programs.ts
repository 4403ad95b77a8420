import { type AttentionShape, attentionGraph } from "./attention-graph.ts";
import { kernelPrograms } from "./kernel-programs.ts";
import { type LayerNormPrograms, layerNormPrograms } from "./layer-norm-programs.ts";
import { type GraphArithmetic, graph, type Program, type Value } from "./program.ts";

type Named<Name extends string> = Readonly<Record<Name, Value>>;

/** What a block's programs may be told: whether the branch of each row has a factor of its own. */
export interface BranchOptions {
  readonly hasFactors: boolean;
}

const attentionWeights = ["normWeight", "normBias", "qkvWeight", "projWeight"] as const;
const attentionInputs = ["x", ...attentionWeights, "qkvBias", "projBias"] as const;
const attentionSaved = [
  ...(["dy", "x", ...attentionWeights, "mean", "inverseStd", "qkv", "mixed"] as const),
] as const;

/**
 * `attentionBlock` of `@dino/ops`, as a whole and without what its gradient needs, and its
 * gradient. What comes as `factors`, `[rows, 1]`, is last.
 */
export function attentionBlockPrograms(
  shape: AttentionShape,
  { hasFactors }: BranchOptions,
): Readonly<Record<"forward" | "forwardAlone" | "backward", Program>> {
  const { dim, heads } = shape;
  const norm = layerNormPrograms(dim);
  const attention = attentionGraph(shape);
  // The scale of the scores, taken into weight and bias of the queries.
  const scales = (a: GraphArithmetic) => a.steps([(dim / heads) ** -0.5, 1], [dim, 2 * dim]);
  const scaled = (a: GraphArithmetic, weight: Value) =>
    a.mul(weight, a.reshape(scales(a), [-1, 1]));
  const branchOf = (
    a: GraphArithmetic,
    normed: Value,
    of: Named<"qkvWeight" | "qkvBias" | "projWeight" | "projBias">,
  ) => {
    const qkv = a.affine(normed, scaled(a, of.qkvWeight), a.mul(of.qkvBias, scales(a)));
    const mixed = attention.forward(a, qkv);
    return { branch: a.affine(mixed, of.projWeight, of.projBias), qkv, mixed };
  };
  return {
    forward: branchGraph("attention", attentionInputs, hasFactors, (a, of, onto) => {
      const [normed, mean, inverseStd] = normOf(a, norm.layerNorm, of);
      const { branch, qkv, mixed } = branchOf(a, normed, of);
      return [onto(branch), mean, inverseStd, qkv, mixed];
    }),
    forwardAlone: branchGraph("attentionAlone", attentionInputs, hasFactors, (a, of, onto) => {
      const [normed] = normOf(a, norm.layerNormAlone, of);
      return [onto(branchOf(a, normed, of).branch)];
    }),
    backward: backwardGraph("attentionBackward", attentionSaved, hasFactors, (a, of, dBranch) => {
      const dMixed = a.matMul(dBranch, of.projWeight);
      const dQkv = attention.backward(a, { dMixed, mixed: of.mixed, qkv: of.qkv });
      const { normed, onto } = normAgain(a, norm, of);
      const dNormed = a.matMul(dQkv, scaled(a, of.qkvWeight));
      return [
        ...onto(dNormed),
        scaled(a, a.matMul(dQkv, normed, true, false)),
        a.mul(a.sumOfRows(dQkv), scales(a)),
        a.matMul(dBranch, of.mixed, true, false),
        a.sumOfRows(dBranch),
      ];
    }),
  };
}

const mlpWeights = ["normWeight", "normBias", "fc1Weight", "fc2Weight"] as const;
const mlpInputs = ["x", ...mlpWeights, "fc1Bias", "fc2Bias"] as const;
const mlpSaved = ["dy", "x", ...mlpWeights, "mean", "inverseStd", "hidden"] as const;

/** `mlpBlock` of `@dino/ops` in the same way. */
export function mlpBlockPrograms(
  dim: number,
  { hasFactors }: BranchOptions,
): Readonly<Record<"forward" | "forwardAlone" | "backward", Program>> {
  const norm = layerNormPrograms(dim);
  return {
    forward: branchGraph("mlp", mlpInputs, hasFactors, (a, of, onto) => {
      const [normed, mean, inverseStd] = normOf(a, norm.layerNorm, of);
      const hidden = a.affine(normed, of.fc1Weight, of.fc1Bias);
      const [active] = a.call(kernelPrograms.gelu, [hidden]) as [Value];
      return [onto(a.affine(active, of.fc2Weight, of.fc2Bias)), mean, inverseStd, hidden];
    }),
    forwardAlone: branchGraph("mlpAlone", mlpInputs, hasFactors, (a, of, onto) => {
      const [normed] = normOf(a, norm.layerNormAlone, of);
      const active = a.affine(normed, of.fc1Weight, of.fc1Bias, "GeluExact");
      return [onto(a.affine(active, of.fc2Weight, of.fc2Bias))];
    }),
    backward: backwardGraph("mlpBackward", mlpSaved, hasFactors, (a, of, dBranch) => {
      // Each by itself: XLA would write down what the two have in common.
      const [active] = a.call(kernelPrograms.gelu, [of.hidden]) as [Value];
      const dActive = a.matMul(dBranch, of.fc2Weight);
      const [dHidden] = a.call(kernelPrograms.geluBackward, [dActive, of.hidden]) as [Value];
      const { normed, onto } = normAgain(a, norm, of);
      return [
        ...onto(a.matMul(dHidden, of.fc1Weight)),
        a.matMul(dHidden, normed, true, false),
        a.sumOfRows(dHidden),
        a.matMul(dBranch, active, true, false),
        a.sumOfRows(dBranch),
      ];
    }),
  };
}

/** A forward graph, whose `onto` adds the branch to the rows that it branches off from. */
function branchGraph<Name extends string>(
  name: string,
  inputs: readonly Name[],
  hasFactors: boolean,
  write: (
    a: GraphArithmetic,
    of: Named<Name | "numbers">,
    onto: (branch: Value) => Value,
  ) => readonly Value[],
): Program {
  const all = hasFactors ? [...inputs, "factors"] : inputs;
  return graph(
    name,
    all,
    (a, given) => {
      const of = given as Named<Name | "numbers" | "x" | "factors">;
      const onto = (branch: Value) => a.add(of.x, hasFactors ? a.mul(branch, of.factors) : branch);
      return write(a, of, onto);
    },
    { numbers: ["epsilon"] },
  );
}

/** A graph of gradients, which is given the branch's. */
function backwardGraph<Name extends string>(
  name: string,
  inputs: readonly Name[],
  hasFactors: boolean,
  write: (a: GraphArithmetic, of: Named<Name>, dBranch: Value) => readonly Value[],
): Program {
  const all = hasFactors ? [...inputs, "factors"] : inputs;
  return graph(name, all, (a, given) => {
    const of = given as Named<Name | "dy" | "factors">;
    return write(a, of, hasFactors ? a.mul(of.dy, of.factors) : of.dy);
  });
}

function normOf(
  a: GraphArithmetic,
  program: Program,
  of: Named<"x" | "normWeight" | "normBias" | "numbers">,
): readonly [normed: Value, mean: Value, inverseStd: Value] {
  const [x, ...rest] = [of.x, of.normWeight, of.normBias, of.numbers];
  return a.call(program, [x, ...rest]) as [Value, Value, Value];
}

/** What the normalisation gave, and its gradients behind those of the rows. */
function normAgain(
  a: GraphArithmetic,
  { layerNormAgain, layerNormBackwardOnto }: LayerNormPrograms,
  of: Named<"dy" | "x" | "normWeight" | "normBias" | "mean" | "inverseStd">,
) {
  const { dy, x, normWeight, normBias, mean, inverseStd } = of;
  const [normed] = a.call(layerNormAgain, [x, normWeight, normBias, mean, inverseStd]) as [Value];
  const onto = (dNormed: Value): readonly Value[] => {
    const slopes = [dNormed, x, normWeight, mean, inverseStd, dy];
    const [dx, dWeight] = a.call(layerNormBackwardOnto, slopes) as [Value, Value];
    return [dx, a.sumOfRows(dWeight), a.sumOfRows(dNormed)];
  };
  return { normed, onto };
}
