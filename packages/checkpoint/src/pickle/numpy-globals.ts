import { arrayOf, type Dtype, itemSize, type TensorArray, type TensorData } from "../dtype.ts";
import { fromFile } from "../read-view.ts";
import type { PickleContext, PickleGlobal, PickleGlobals } from "./pickle-global.ts";
import { kindOf, PickleValueError } from "./pickle-machine.ts";

/** Numpy's element types, by kind and bytes. Objects are what stands in a list in the pickle. */
const dtypes: Readonly<Record<string, Dtype>> = {
  f8: "F64",
  f4: "F32",
  f2: "F16",
  i8: "I64",
  i4: "I32",
  i2: "I16",
  i1: "I8",
  u8: "U64",
  u4: "U32",
  u2: "U16",
  u1: "U8",
  b1: "BOOL",
};

/** A dtype while a pickle is read. */
interface NumpyDtype {
  readonly code: string;
  /** Whether its state said that the most significant byte comes first. */
  bigEndian: boolean;
  /** Whether its elements have fields. */
  structured: boolean;
}

/** An array of numpy's as a pickle's value. Without its state it is empty. */
type MutableTensorData = { -readonly [K in keyof TensorData]: TensorData[K] };

const made = { dtypes: new WeakSet<object>(), arrays: new WeakSet<object>() };

/** Whether a value of a pickle is an array of numpy's. */
export function isNumpyArray(value: unknown): value is TensorData {
  return typeof value === "object" && value !== null && made.arrays.has(value);
}

const dtype: PickleGlobal = {
  call([code]) {
    if (typeof code !== "string") throw expected("a dtype's code", code);
    const value: NumpyDtype = { code, bigEndian: false, structured: false };
    made.dtypes.add(value);
    return value;
  },
  build(value, state) {
    if (!Array.isArray(state)) throw expected("a dtype's state", state);
    const target = value as NumpyDtype;
    target.bigEndian = state[1] === ">";
    target.structured = state.slice(2, 5).some((part) => part !== null && part !== undefined);
  },
};

/** `scalar(dtype, bytes)`: a number, a bigint beyond exact integers, or a boolean. */
const scalar: PickleGlobal = {
  call([type, bytes], context) {
    const name = asDtype(type);
    const { data } = numpyArray(name, [], bytes, false, context);
    const [value = 0] = data;
    if (name === "BOOL") return value !== 0;
    const number = Number(value);
    return typeof value === "bigint" && !Number.isSafeInteger(number) ? value : number;
  },
};

/** `_reconstruct(ndarray, (0,), b"b")` makes an empty array, which its state fills. */
const reconstruct: PickleGlobal = {
  call() {
    const array: MutableTensorData = { dtype: "U8", shape: [0], data: new Uint8Array(0) };
    made.arrays.add(array);
    return array;
  },
  build(value, state, context) {
    if (!Array.isArray(state) || state.length !== 5) throw expected("an array's state", state);
    const [, shape, type, fortran, content] = state as unknown[];
    Object.assign(value as object, numpyArray(asDtype(type), shape, content, fortran, context));
  },
};

/** Protocol 5 has the elements in the pickle's own bytes: `_frombuffer(bytes, dtype, shape, order)`. */
const fromBuffer: PickleGlobal = {
  call([content, type, shape, order], context) {
    const array = numpyArray(asDtype(type), shape, content, order === "F", context);
    made.arrays.add(array);
    return array;
  },
};

/**
 * What pickles with numpy's arrays and scalars name. Arrays come as `TensorData` (F16 widened to
 * float32) in row-major order, scalars as numbers.
 */
export const numpyGlobals: PickleGlobals = new Map<string, PickleGlobal>([
  ["numpy.dtype", dtype],
  ["numpy.ndarray", {}],
  ...["core", "_core"].flatMap(
    (core) =>
      [
        [`numpy.${core}.multiarray.scalar`, scalar],
        [`numpy.${core}.multiarray._reconstruct`, reconstruct],
        [`numpy.${core}.numeric._frombuffer`, fromBuffer],
      ] as const,
  ),
]);

function asDtype(value: unknown): Dtype {
  if (typeof value !== "object" || value === null || !made.dtypes.has(value)) {
    throw expected("a dtype of numpy's", value);
  }
  const { code, bigEndian, structured } = value as NumpyDtype;
  const name = Object.hasOwn(dtypes, code) ? dtypes[code] : undefined;
  if (!name || structured) {
    throw new PickleValueError(
      `expected a dtype of numpy's of ${Object.keys(dtypes).join(", ")}, got ${structured ? "one with fields" : kindOf(code)}`,
    );
  }
  if (bigEndian) {
    throw new PickleValueError(`expected a little-endian dtype of numpy's, got ">${code}"`);
  }
  return name;
}

function numpyArray(
  name: Dtype,
  shape: unknown,
  content: unknown,
  fortran: unknown,
  { spend }: PickleContext,
): MutableTensorData {
  if (!isShape(shape)) throw expected("a shape of non-negative integers", shape);
  if (!isBytes(content)) throw expected("an array's bytes", content);
  const count = shape.reduce((a, b) => a * b, 1);
  if (content.length !== count * itemSize(name)) {
    throw new PickleValueError(
      `expected ${count * itemSize(name)} bytes for ${name} [${shape.join(", ")}], got ${content.length}`,
    );
  }
  spend(content.length / 8); // copied each time that the pickle names it
  const data = fromFile(name, copyOf(content).buffer);
  return { dtype: name, shape, data: fortran === true ? rowsFirst(name, shape, data) : data };
}

/** An array whose first axis varies fastest, with the last one fastest. */
function rowsFirst(name: Dtype, shape: readonly number[], data: TensorArray): TensorArray {
  const result = new (arrayOf(name))(data.length);
  const index = shape.map(() => 0);
  for (let from = 0; from < data.length; from++) {
    let to = 0;
    for (const [axis, size] of shape.entries()) to = to * size + (index[axis] as number);
    result[to] = data[from] as never;
    for (let axis = 0; axis < shape.length; axis++) {
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (shape[axis] as number)) break;
      index[axis] = 0;
    }
  }
  return result;
}

/** Python 2 has bytes as text, one character each. */
function isBytes(value: unknown): value is Uint8Array | string {
  return value instanceof Uint8Array || typeof value === "string";
}

function copyOf(content: Uint8Array | string): Uint8Array<ArrayBuffer> {
  if (typeof content !== "string") return new Uint8Array(content);
  return Uint8Array.from({ length: content.length }, (_, i) => content.charCodeAt(i));
}

function isShape(value: unknown): value is readonly number[] {
  return (
    Array.isArray(value) &&
    value.length <= 64 &&
    value.every((size) => Number.isSafeInteger(size) && size >= 0)
  );
}

function expected(what: string, got: unknown): PickleValueError {
  return new PickleValueError(`expected ${what}, got ${kindOf(got)}`);
}
