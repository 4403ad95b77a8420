import type * as tf from "@tensorflow/tfjs-core";
import {
  geluBackwardProgram,
  geluPartsProgram,
  geluProgram,
  reluBackwardProgram,
} from "../shaders/gelu-programs.ts";
import type { DinoWebGPUBackend } from "../webgpu-backend.ts";
import { multiply, type Operands } from "./product.ts";
import { groupsFor, sizeOf } from "./size-of.ts";
import { type WebgpuKernel, webgpuKernel } from "./webgpu-kernel.ts";

interface Inputs {
  readonly x: tf.TensorInfo;
  readonly weight: tf.TensorInfo;
  readonly bias: tf.TensorInfo;
}
interface Saved {
  readonly dy: tf.TensorInfo;
  readonly x: tf.TensorInfo;
  readonly weight: tf.TensorInfo;
  readonly before?: tf.TensorInfo;
}
type Activation = "none" | "gelu" | "relu";

/** `x wᵀ`: the sizes and operands of a layer's forward product. */
export function forwardProduct(x: tf.TensorInfo, weight: tf.TensorInfo): Operands {
  const [columns, inner] = weight.shape as [number, number];
  const rows = sizeOf(x) / inner;
  return {
    rows,
    columns,
    inner,
    a: { tensor: x, stride: inner },
    b: { tensor: weight, stride: inner },
    transposeB: true,
  };
}

/** `dy w`: of the gradient with respect to the rows. */
export function rowsProduct(dy: tf.TensorInfo, weight: tf.TensorInfo): Operands {
  const [inner, columns] = weight.shape as [number, number];
  const rows = sizeOf(dy) / inner;
  return {
    rows,
    columns,
    inner,
    a: { tensor: dy, stride: inner, isExact: true },
    b: { tensor: weight, stride: columns },
  };
}

/** `dyᵀ x`: of the gradient with respect to the weight; `sums` takes the bias's. */
export function weightProduct(
  dy: tf.TensorInfo,
  x: tf.TensorInfo,
  weight: readonly number[],
): Operands {
  const [rows, columns] = weight as [number, number];
  const inner = sizeOf(dy) / rows;
  return {
    rows,
    columns,
    inner,
    a: { tensor: dy, stride: rows, isExact: true },
    b: { tensor: x, stride: columns },
    transposeA: true,
  };
}

/** The gradient before an activation. */
export function activationBackward(
  backend: DinoWebGPUBackend,
  dy: tf.TensorInfo,
  before: tf.TensorInfo,
  activation: "gelu" | "relu",
): tf.TensorInfo {
  const dx = backend.output(dy.shape);
  const size = sizeOf(dy);
  const program = activation === "gelu" ? geluBackwardProgram : reluBackwardProgram;
  backend.run(program(backend.isHalf(before)), {
    reads: [dy, before],
    writes: [dx],
    scalars: { size },
    groups: groupsFor(size),
  });
  return dx;
}

export const linearKernels: readonly WebgpuKernel[] = [
  webgpuKernel<Inputs, { readonly activation: Activation; readonly forGradient: boolean }>(
    "DinoLinear",
    ({ inputs: { x, weight, bias }, attributes: { activation, forGradient }, backend }) => {
      const product = forwardProduct(x, weight);
      const shape = [product.rows, product.columns] as const;
      const y = backend.output(shape);
      const before = activation !== "none" && forGradient ? backend.operand(shape) : undefined;
      multiply(backend, { ...product, y, bias, activation, before });
      return before ? [y, backend.kept(before)] : [y];
    },
  ),

  webgpuKernel<Saved, { readonly activation: Activation }>(
    "DinoLinearBackward",
    ({ inputs: { dy, x, weight, before }, attributes: { activation }, backend }) => {
      const isActivated = activation !== "none" && before !== undefined;
      const slope = isActivated ? activationBackward(backend, dy, before, activation) : dy;
      const dx = backend.output(x.shape);
      const dWeight = backend.output(weight.shape);
      const dBias = backend.output([weight.shape[0] as number]);
      multiply(backend, { ...rowsProduct(slope, weight), y: dx });
      multiply(backend, { ...weightProduct(slope, x, weight.shape), y: dWeight, sums: dBias });
      if (isActivated) backend.free(slope);
      return [dx, dWeight, dBias];
    },
  ),

  webgpuKernel<{ readonly x: tf.TensorInfo }>("DinoGelu", ({ inputs: { x }, backend }) => {
    const y = backend.output(x.shape);
    const size = sizeOf(x);
    backend.run(geluProgram, {
      reads: [x],
      writes: [y],
      scalars: { size },
      groups: groupsFor(size),
    });
    return [y];
  }),

  webgpuKernel<{ readonly x: tf.TensorInfo }>("DinoGeluParts", ({ inputs: { x }, backend }) => {
    const [y, slope] = [backend.output(x.shape), backend.output(x.shape)];
    const size = sizeOf(x);
    backend.run(geluPartsProgram, {
      reads: [x],
      writes: [y, slope],
      scalars: { size },
      groups: groupsFor(size),
    });
    return [y, slope];
  }),

  webgpuKernel<{ readonly dy: tf.TensorInfo; readonly x: tf.TensorInfo }>(
    "DinoGeluBackward",
    ({ inputs: { dy, x }, backend }) => [activationBackward(backend, dy, x, "gelu")],
  ),
];
