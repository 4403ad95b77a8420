import * as tf from "@tensorflow/tfjs-core";

/**
 * A model's parameters by name: the names of the reference's state dict, and PyTorch's shapes
 * (linear `[out, in]`, convolution `[out, in, rows, columns]`).
 */
export type Params = Readonly<Record<string, tf.Tensor>>;

/** The parameters whose names start with `prefix`, named by what follows it. */
export function within(params: Params, prefix: string): Params {
  const inner: Record<string, tf.Tensor> = {};
  for (const name in params) {
    if (name.startsWith(prefix)) inner[name.slice(prefix.length)] = params[name] as tf.Tensor;
  }
  return inner;
}

/** The same parameters, with `prefix` in front of every name. */
export function withPrefix(prefix: string, params: Params): Params {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [prefix + name, value]));
}

/** The parameter called `name`, or an error that says that it is missing. */
export function parameter<T extends tf.Tensor>(params: Params, name: string): T {
  const value = params[name];
  if (value === undefined) {
    throw new Error(`${name}: expected a parameter of this name, got ${list(params)}`);
  }
  return value as T;
}

function list(params: Params): string {
  const names = Object.keys(params);
  if (names.length === 0) return "no parameters at all";
  return names.length > 4
    ? `${names.slice(0, 4).join(", ")} and ${names.length - 4} more`
    : names.join(", ");
}

/**
 * The value of `f` and its gradient with respect to each parameter. A parameter that `f` does
 * not use has no gradient: its name is absent, which is not the same as a gradient of zero.
 */
export function valueAndGradients(
  params: Params,
  f: (params: Params) => tf.Scalar,
): { readonly value: tf.Scalar; readonly gradients: Params } {
  const names = Object.keys(params);
  const values = names.map((name) => params[name] as tf.Tensor);
  // What tf.valueAndGrads calls, which refuses parameters without a gradient.
  const { value, grads } = tf.tidy(() =>
    tf.engine().gradients(() => f(params), values, undefined, true),
  );
  const gradients: Record<string, tf.Tensor> = {};
  names.forEach((name, i) => {
    const gradient: tf.Tensor | null | undefined = grads[i];
    if (gradient) gradients[name] = gradient;
  });
  return { value: value as tf.Scalar, gradients };
}
