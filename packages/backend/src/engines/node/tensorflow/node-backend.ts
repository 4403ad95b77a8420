import * as tf from "@tensorflow/tfjs-core";

/** The value of an attribute of one of TensorFlow's operations. */
export interface OperationAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** The parts of tfjs-node's backend that kernels are made of. */
export interface NodeBackend {
  readonly isUsingGpuDevice: boolean;
  readonly binding: {
    readonly TF_ATTR_TYPE: number;
    readonly TF_ATTR_BOOL: number;
    readonly TF_ATTR_FLOAT: number;
    readonly TF_ATTR_STRING: number;
    readonly TF_FLOAT: number;
    readonly TF_INT32: number;
  };
  executeSingleOutput(
    name: string,
    attributes: readonly OperationAttribute[],
    inputs: readonly tf.TensorInfo[],
  ): tf.Tensor;
  loadSavedModelMetaGraph(folder: string, tags: string): number;
  runSavedModel(
    id: number,
    inputs: readonly tf.Tensor[],
    names: readonly { readonly name: string }[],
    outputs: readonly string[],
  ): tf.Tensor[];
}

/** The backend `tensorflow`, which has been loaded. */
export function nodeBackend(): NodeBackend {
  return tf.findBackend("tensorflow") as unknown as NodeBackend;
}

/** Runs one of TensorFlow's operations on float32, by its name; `types` are further attributes. */
export function operation(
  name: string,
  inputs: readonly tf.TensorInfo[],
  attributes: Readonly<Record<string, boolean | number | string>> = {},
  types: Readonly<Record<string, number>> = {},
): tf.Tensor {
  const backend = nodeBackend();
  const { TF_ATTR_BOOL, TF_ATTR_FLOAT, TF_ATTR_STRING, TF_ATTR_TYPE, TF_FLOAT } = backend.binding;
  const kinds = { boolean: TF_ATTR_BOOL, number: TF_ATTR_FLOAT, string: TF_ATTR_STRING };
  const given = Object.entries(attributes).map(([key, value]) => ({
    name: key,
    type: kinds[typeof value as keyof typeof kinds],
    value,
  }));
  const typed = Object.entries({ T: TF_FLOAT, ...types }).map(([key, value]) => ({
    name: key,
    type: TF_ATTR_TYPE,
    value,
  }));
  return backend.executeSingleOutput(name, [...typed, ...given], inputs);
}

/** Whether something can be computed here; what it gives is thrown away. */
export function works(compute: () => tf.TensorContainer): boolean {
  try {
    tf.dispose(tf.tidy(compute));
    return true;
  } catch {
    return false;
  }
}
