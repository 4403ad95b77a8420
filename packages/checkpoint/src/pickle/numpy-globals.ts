import { arrayOf, type Dtype, itemSize, type TensorArray, type TensorData } from "../dtype.ts";
import { elements } from "../elements.ts";
import {
  makeUnfinished,
  type PickleContext,
  type PickleGlobal,
  type PickleGlobals,
  type Unfinished,
} from "./pickle-global.ts";
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

const made = { dtypes: new WeakSet<object>(), arrays: new WeakSet<object>() };

/** Whether a value of a pickle is an array of numpy's. */
export function isNumpyArray(value: unknown): value is TensorData {
  return typeof value === "object" && value !== null && made.arrays.has(value);
}

const dtype: PickleGlobal = {
  call([code]) {
    if (typeof code !== "string") throw expected("a dtype's code", code);
    const state: NumpyDtype = { code, bigEndian: false, structured: false };
    const value = Object.assign(makeUnfinished(), state, { finished: code });
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

/** `scalar(dtype, bytes)`: a number, a bigint beyond exact integers, a boolean, or text. */
const scalar: PickleGlobal = {
  call([type, bytes], context) {
    const array = numpyArray(type, Object.freeze([]), bytes, false, context);
    if (!isNumpyArray(array)) return array;
    const [value = 0] = array.data;
    if (array.dtype === "BOOL") return value !== 0;
    const number = Number(value);
    return typeof value === "bigint" && !Number.isSafeInteger(number) ? value : number;
  },
};

/** `_reconstruct(ndarray, (0,), b"b")` makes an empty array, which its state fills. */
const reconstruct: PickleGlobal = {
  call: () => makeUnfinished(),
  build(value, state, context) {
    if (!Array.isArray(state) || state.length !== 5) throw expected("an array's state", state);
    const [, shape, type, fortran, content] = state as unknown[];
    (value as Unfinished).finished = numpyArray(type, shape, content, fortran === true, context);
  },
};

/** Protocol 5 has the elements in the pickle's own bytes: `_frombuffer(bytes, dtype, shape, order)`. */
const fromBuffer: PickleGlobal = {
  call: ([content, type, shape, order], context) =>
    numpyArray(type, shape, content, order === "F", context),
};

/**
 * What pickles with numpy's arrays and scalars name. Arrays of numbers come as `TensorData` (F16
 * widened to float32) in row-major order, those of text and of objects as arrays within arrays,
 * scalars as numbers and text.
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

/** An array of numbers as `TensorData`, any other as arrays within arrays; without axes, its element. */
function numpyArray(
  type: unknown,
  shape: unknown,
  content: unknown,
  columnsFirst: boolean,
  context: PickleContext,
): unknown {
  const code = codeOf(type);
  if (!isShape(shape)) throw expected("a shape of non-negative integers", shape);
  const count = shape.reduce((a, b) => a * b, 1);
  const dtype = Object.hasOwn(dtypes, code) ? dtypes[code] : undefined;
  if (dtype) {
    const bytes = bytesOf(content, count * itemSize(dtype), context);
    const data = elements(dtype, bytes.buffer);
    const array = { dtype, shape, data: columnsFirst ? rowsFirst(dtype, shape, data) : data };
    made.arrays.add(array);
    return array;
  }
  if (columnsFirst && shape.length > 1) throw expected("rows first in an array", "columns first");
  return nested(items(code, count, content, context), shape);
}

/** The elements of an array of text or objects. */
function items(
  code: string,
  count: number,
  content: unknown,
  context: PickleContext,
): readonly unknown[] {
  if (code === "O8" || code === "O") {
    if (!Array.isArray(content) || content.length !== count) {
      throw expected(`a list of ${count} objects`, content);
    }
    context.spend(count);
    return content;
  }
  const [, kind, characters] = /^([US])(\d{1,9})$/.exec(code) ?? [];
  if (kind === undefined) {
    throw new PickleValueError(
      `expected a dtype of numpy's of ${Object.keys(dtypes).join(", ")}, text or objects, got ${kindOf(code)}`,
    );
  }
  const size = Number(characters) * (kind === "U" ? 4 : 1);
  const bytes = bytesOf(content, count * size, context);
  const step = kind === "U" ? 4 : 1;
  const view = new DataView(bytes.buffer);
  context.spend(count);
  return Array.from({ length: count }, (_, i) => {
    let text = "";
    for (let at = i * size; at < (i + 1) * size; at += step) {
      const point = kind === "U" ? view.getUint32(at, true) : view.getUint8(at);
      if (point > 0x10ffff) throw expected("text in Unicode", point);
      text += String.fromCodePoint(point);
    }
    return text.replace(/\0+$/, ""); // numpy fills up with zeros
  });
}

/** Elements in row-major order as arrays within arrays. */
function nested(row: readonly unknown[], shape: readonly number[]): unknown {
  if (shape.length === 0) return row[0];
  return shape
    .slice(1)
    .reduceRight<readonly unknown[]>(
      (list, size) =>
        Array.from({ length: size === 0 ? 0 : list.length / size }, (_, i) =>
          list.slice(i * size, (i + 1) * size),
        ),
      row,
    );
}

/** The dtype's code without its byte order, which must be the one that all machines have now. */
function codeOf(value: unknown): string {
  if (typeof value !== "object" || value === null || !made.dtypes.has(value)) {
    throw expected("a dtype of numpy's", value);
  }
  const { code, bigEndian, structured } = value as NumpyDtype;
  if (structured) throw new PickleValueError("expected a dtype of numpy's, got one with fields");
  if (bigEndian) {
    throw new PickleValueError(`expected a little-endian dtype of numpy's, got ">${code}"`);
  }
  return code;
}

/** An array's bytes, in memory of its own. Python 2 has them as text, one character each. */
function bytesOf(
  content: unknown,
  length: number,
  { spend }: PickleContext,
): Uint8Array<ArrayBuffer> {
  if (!(content instanceof Uint8Array) && typeof content !== "string") {
    throw expected("an array's bytes", content);
  }
  if (content.length !== length) {
    throw new PickleValueError(`expected an array of ${length} bytes, got ${content.length}`);
  }
  spend(length / 8); // copied each time that the pickle names it
  if (typeof content !== "string") return new Uint8Array(content);
  return Uint8Array.from({ length }, (_, i) => content.charCodeAt(i));
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
