import { type Dtype, itemSize } from "../dtype.ts";
import { kindOf, PickleValueError } from "../pickle/pickle-machine.ts";
import { span } from "../read-view.ts";
import type { TorchStorage } from "./torch-storage.ts";

/** A tensor as a file's pickle describes it: a view of a storage. All numbers count elements. */
export interface TorchTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
  readonly storage: TorchStorage;
}

const tensors = new WeakSet<object>();

/** Whether a pickle's value is a tensor: nothing else that it holds can look like one. */
export function isTorchTensor(value: unknown): value is TorchTensor {
  return typeof value === "object" && value !== null && tensors.has(value);
}

/** Torch allows 64 axes. */
const mostAxes = 64;

/** Elements that a view may have beyond those of its storage, whose elements it then repeats. */
const mostRepeated = 2 ** 20;

/** The view, once nothing in it reaches beyond its storage or makes more of it than there is. */
export function torchTensor(
  dtype: Dtype,
  storage: TorchStorage,
  offset: unknown,
  shape: unknown,
  strides: unknown,
): TorchTensor {
  if (!isSize(offset)) throw expected("an offset", offset);
  if (!isSizes(shape)) throw expected("a shape", shape);
  if (!isSizes(strides)) throw expected("strides", strides);
  if (strides.length !== shape.length) {
    throw new PickleValueError(`expected ${shape.length} strides, got ${strides.length}`);
  }
  const elements = shape.reduce((a, b) => a * b, 1);
  const length = Math.floor(storageBytes(storage) / itemSize(dtype));
  const what = () => `[${shape.join(", ")}] with strides [${strides.join(", ")}] at ${offset}`;
  const end = offset + span(shape, strides);
  if (elements > 0 && !(end <= length)) {
    throw new PickleValueError(
      `expected a view of the ${length} elements of storage ${storage.key}, got ${what()}`,
    );
  }
  // A stride of 0 repeats without end, so that a few bytes would ask for any memory.
  if (elements > Math.max(length, mostRepeated)) {
    throw new PickleValueError(
      `expected a view of at most ${Math.max(length, mostRepeated)} elements, got ${what()}`,
    );
  }
  const tensor = Object.freeze({
    dtype,
    shape: [...shape],
    strides: [...strides],
    offset,
    storage,
  });
  tensors.add(tensor);
  return tensor;
}

export function storageBytes({ dtype, length }: TorchStorage): number {
  return length * (dtype ? itemSize(dtype) : 1);
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length <= mostAxes && value.every(isSize);
}

function expected(what: string, got: unknown): PickleValueError {
  const list = Array.isArray(got) ? `[${got.slice(0, 8).map(kindOf).join(", ")}]` : kindOf(got);
  return new PickleValueError(`expected ${what} of non-negative integers, got ${list}`);
}
