import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import {
  attribute,
  callNode,
  type GraphNode,
  mustCompile,
  savedModel,
  servingTag,
} from "./graph-definition.ts";
import { nodeBackend } from "./node-backend.ts";
import { functionName, type Program, type Variant } from "./program.ts";

/**
 * The elements above which a program is compiled. It takes some tenths of a second for each shape,
 * which smaller tensors never give back. By size alone, so that a run that goes on computes what
 * it would have computed without the pause.
 */
const compiledFrom = 2 ** 16;

export interface LoadOptions {
  /** The elements from which programs are compiled. */
  readonly smallest?: number;
}

/** Programs that can be run. */
export interface Programs<Name extends string> {
  /**
   * Runs a program on its tensors and its numbers, in their order. Gives the outputs whose places
   * are named, or all.
   */
  run(
    name: Name,
    inputs: readonly tf.Tensor[],
    given?: { readonly numbers?: readonly number[]; readonly outputs?: readonly number[] },
  ): tf.Tensor[];
}

/**
 * Hands programs over to TensorFlow, as a graph that is saved and loaded. Each is there twice:
 * compiled by XLA for every shape that it meets, in which it is one pass over memory, and as it is.
 */
export function loadPrograms<Name extends string>(
  programs: Readonly<Record<Name, Program>>,
  { smallest = compiledFrom }: LoadOptions = {},
): Programs<Name> {
  const backend = nodeBackend();
  const list = Object.entries(programs) as [Name, Program][];
  const id = load(list);
  return {
    run: (name, inputs, { numbers = [], outputs } = {}) => {
      const { inputs: names, outputs: count } = programs[name];
      const wanted = outputs ?? Array.from({ length: count }, (_, i) => i);
      return tf.tidy(() => {
        const tensors = numbers.length > 0 ? [...inputs, tf.tensor1d([...numbers])] : inputs;
        const size = tensors.reduce((largest, { size }) => Math.max(largest, size), 0);
        const variant = size >= smallest ? variantsOf(programs[name]).at(-1) : "plain";
        return backend.runSavedModel(
          id,
          tensors,
          names.map((each) => ({ name: `${name}/${each}:0` })),
          wanted.map((i) => `${name}/${variant}:${i}`),
        );
      });
    },
  };
}

/** In which forms a program is there: compiled last. */
function variantsOf({ compiles, callees }: Program): readonly Variant[] {
  return compiles || callees.length > 0 ? ["plain", "compiled"] : ["plain"];
}

function load(programs: readonly (readonly [name: string, Program])[]): number {
  const nodes = programs.flatMap(([name, program]) => topNodes(name, program));
  const called = programs.flatMap(([, program]) => [program, ...program.callees]);
  const functions = [...new Set(called)].flatMap((program) =>
    variantsOf(program).map((variant) => {
      const compiles = variant === "compiled" && program.compiles;
      const attributes = { ...mustCompile(true), _noinline: attribute.truth(true) };
      return { ...program.define(variant), ...(compiles && { attributes }) };
    }),
  );
  const folder = mkdtempSync(join(tmpdir(), "dino-programs-"));
  try {
    writeFileSync(join(folder, "saved_model.pb"), savedModel(nodes, functions));
    return nodeBackend().loadSavedModelMetaGraph(folder, servingTag);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What is fed to a program, and the calls of it. */
function topNodes(name: string, program: Program): readonly GraphNode[] {
  const { inputs, outputs } = program;
  const fed = inputs.map((each) => `${name}/${each}`);
  const attributes = { dtype: attribute.type };
  return [
    ...fed.map((each) => ({ name: each, op: "Placeholder", inputs: [], attributes })),
    ...variantsOf(program).map((variant) =>
      callNode(`${name}/${variant}`, fed, {
        callee: functionName(program, variant),
        outputs,
        compiles: variant === "compiled" && program.compiles,
      }),
    ),
  ];
}
