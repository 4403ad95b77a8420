import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { attribute, type GraphNode, savedModel, servingTag } from "./graph-definition.ts";
import { nodeBackend } from "./node-backend.ts";
import type { Program } from "./program.ts";

/**
 * The elements above which a program is compiled. It takes some tenths of a second for each shape,
 * which smaller tensors never give back. By size alone, so that a run that goes on computes what
 * it would have computed without the pause.
 */
const compiledFrom = 2 ** 16;

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
  { smallest = compiledFrom }: { readonly smallest?: number } = {},
): Programs<Name> {
  const backend = nodeBackend();
  const list = Object.entries(programs) as [Name, Program][];
  const id = load(list);
  return {
    run: (name, inputs, { numbers = [], outputs } = {}) => {
      const { definition, outputs: count, compiles } = programs[name];
      const wanted = outputs ?? Array.from({ length: count }, (_, i) => i);
      return tf.tidy(() => {
        const tensors = numbers.length > 0 ? [...inputs, tf.tensor1d([...numbers])] : inputs;
        const size = tensors.reduce((largest, { size }) => Math.max(largest, size), 0);
        const call = `${name}/${compiles && size >= smallest ? "compiled" : "plain"}`;
        return backend.runSavedModel(
          id,
          tensors,
          definition.inputs.map((each) => ({ name: `${name}/${each}:0` })),
          wanted.map((i) => `${call}:${i}`),
        );
      });
    },
  };
}

function load(programs: readonly (readonly [name: string, Program])[]): number {
  const nodes: GraphNode[] = [];
  const functions = programs.flatMap(([name, program]) => {
    const { outputs, definition } = program;
    const { inputs } = definition;
    for (const each of inputs) {
      const attributes = { dtype: attribute.type };
      nodes.push({ name: `${name}/${each}`, op: "Placeholder", inputs: [], attributes });
    }
    const variants = { plain: false, ...(program.compiles && { compiled: true }) };
    return Object.entries(variants).map(([variant, compiles]) => {
      const callee = `${name}_${variant}`;
      const must = { _XlaMustCompile: attribute.truth(compiles) };
      nodes.push({
        name: `${name}/${variant}`,
        op: "StatefulPartitionedCall",
        inputs: inputs.map((each) => `${name}/${each}`),
        attributes: {
          Tin: attribute.types(inputs.length),
          Tout: attribute.types(outputs),
          f: attribute.callee(callee),
          ...must,
        },
      });
      return {
        ...definition,
        name: callee,
        attributes: compiles ? { ...must, _noinline: attribute.truth(true) } : {},
      };
    });
  });
  const folder = mkdtempSync(join(tmpdir(), "dino-programs-"));
  try {
    writeFileSync(join(folder, "saved_model.pb"), savedModel(nodes, functions));
    return nodeBackend().loadSavedModelMetaGraph(folder, servingTag);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
