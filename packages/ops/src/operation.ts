import * as tf from "@tensorflow/tfjs-core";
import { repairBackend } from "./repair/repair-backend.ts";

type Tensors = Readonly<Record<string, tf.Tensor>>;

/** What every forward kernel of a differentiable operation is told besides its own attributes. */
export type ForGradient = {
  /**
   * Whether a gradient may be asked for. Where not, as in a teacher's pass, nothing is saved and
   * the output alone need be given: an operation whose other outputs are large leaves them out.
   */
  readonly forGradient: boolean;
};

/** What a backward kernel gets: what was saved, and the gradient of the output. */
export type ForBackward<Saved> = Saved & { readonly dy: tf.Tensor };

/**
 * A differentiable operation: one forward and one backward kernel, each found by name on the
 * active backend (`Dino<name>` and `Dino<name>Backward`). Where the backend has none of that
 * name, the composite in plain tfjs operations given here is registered as its kernel, so that
 * every backend works at once and becomes fast kernel by kernel.
 */
export interface Operation<Inputs, Saved, Attributes> {
  readonly name: string;
  /**
   * The output first, then whatever else `saved` needs. `forGradient` is added to the attributes
   * that the operation is called with; whatever comes behind the output is freed without it.
   */
  forward(inputs: Inputs, attributes: Attributes & ForGradient): readonly tf.Tensor[];
  /**
   * Exactly what the backward kernel needs, by the names under which it gets it. Called only where
   * `forGradient` is true.
   */
  saved(inputs: Inputs, outputs: readonly tf.Tensor[], attributes: Attributes): Saved;
  /** The gradients of the variables, in the order in which the operation is given them. */
  backward(inputs: ForBackward<Saved>, attributes: Attributes): readonly tf.Tensor[];
}

/** An operation's two kernels, by themselves: what larger operations are made of. */
export interface Kernels<Inputs, Saved, Attributes> {
  forward(inputs: Inputs, attributes: Attributes & ForGradient): readonly tf.Tensor[];
  backward(inputs: ForBackward<Saved>, attributes: Attributes): readonly tf.Tensor[];
}

export function kernelsOf<Inputs extends object, Saved extends object, Attributes extends object>({
  name,
  forward,
  backward,
}: Operation<Inputs, Saved, Attributes>): Kernels<Inputs, Saved, Attributes> {
  return { forward: kernel(name, forward), backward: kernel(`${name}Backward`, backward) };
}

/**
 * The operation as a function. `variables` receive gradients; `constants` never do and cost
 * none. Kernels get both by name.
 */
export function differentiable<
  Inputs extends object,
  Saved extends object,
  Attributes extends object,
>(
  operation: Operation<Inputs, Saved, Attributes>,
): (variables: Tensors, attributes: Attributes, constants?: Tensors) => tf.Tensor {
  const { saved } = operation;
  const { forward, backward } = kernelsOf(operation);
  return (variables, attributes, constants) => {
    const inputs = { ...variables, ...constants } as Inputs;
    const { gradientDepth, kernelDepth } = tf.engine().state;
    // When the tape records: it passes over what a kernel calls in turn.
    const forGradient = gradientDepth > 0 && kernelDepth === 0;
    if (!forGradient) {
      return tf.tidy(() => forward(inputs, { ...attributes, forGradient })[0] as tf.Tensor);
    }
    const apply = tf.customGrad((...given) => {
      const save = given.pop() as unknown as tf.GradSaveFunc;
      const outputs = forward(inputs, { ...attributes, forGradient });
      const kept = saved(inputs, outputs, attributes) as Tensors;
      save(Object.values(kept));
      const names = Object.keys(kept);
      return {
        value: outputs[0] as tf.Tensor,
        gradFunc: (dy: tf.Tensor, values: tf.Tensor[]) => {
          const found: Record<string, tf.Tensor> = { dy };
          names.forEach((key, i) => {
            found[key] = values[i] as tf.Tensor;
          });
          const gradients = backward(found as ForBackward<Saved>, attributes);
          // The tape would keep these until the whole backward pass has ended.
          if (tf.engine().state.gradientDepth === 0) tf.dispose(values);
          return [...gradients];
        },
      };
    });
    return apply(...Object.values(variables));
  };
}

/** Whether the active backend has a kernel `Dino<name>` of its own, or a composite that was registered. */
export function hasKernel(name: string): boolean {
  return tf.getKernel(`Dino${name}`, tf.getBackend()) !== undefined;
}

/**
 * An operation without a gradient: the kernel `Dino<name>` of the active backend, or the
 * composite where it has none.
 */
export function kernel<Inputs extends object, Attributes extends object>(
  name: string,
  composite: (inputs: Inputs, attributes: Attributes) => readonly tf.Tensor[],
): (inputs: Inputs, attributes: Attributes) => readonly tf.Tensor[] {
  const kernelName = `Dino${name}`;
  return (inputs, attributes) => {
    const backendName = tf.getBackend();
    repairBackend(backendName);
    if (tf.getKernel(kernelName, backendName) === undefined) {
      tf.registerKernel({
        kernelName,
        backendName,
        kernelFunc: ({ inputs, attrs }) =>
          tf.tidy(() => composite(inputs as Inputs, attrs as Attributes) as tf.Tensor[]),
      });
    }
    return tf
      .engine()
      .runKernel<tf.Tensor[]>(
        kernelName,
        { ...inputs } as tf.NamedTensorMap,
        attributes as tf.NamedAttrMap,
      );
  };
}
