import { type ByteSource, readExactly } from "./byte-source.ts";
import { type Dtype, itemSize, type TensorArray } from "./dtype.ts";
import { elements, ownBuffer } from "./elements.ts";

/** Elements of a source: `shape` of them, `strides` apart, the first at byte `start`. */
export interface View {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly start: number;
}

/** Bytes that are read at once where a view leaves some out. */
const chunk = 2 ** 24;

/** A read of fewer is not worth cutting, however little of it is wanted. */
const smallRead = 2 ** 16;

/** A longer read of which less than this part is wanted is cut. */
const sparse = 1 / 64;

/** The elements of a view in row-major order. No more is in memory than they and a chunk. */
export async function readView(source: ByteSource, view: View): Promise<TensorArray> {
  const { dtype, shape } = view;
  const bytes = shape.reduce((a, b) => a * b, itemSize(dtype));
  const raw = isContiguous(view)
    ? ownBuffer(await readExactly(source, view.start, bytes))
    : await gather(source, view, bytes);
  return elements(dtype, raw);
}

function isContiguous({ shape, strides }: View): boolean {
  if (shape.includes(0)) return true;
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis] as number;
  }
  return true;
}

/** One piece of a view: where its first element lies in the source and where it goes. */
interface Piece {
  readonly shape: readonly number[];
  readonly from: number;
  readonly to: number;
}

async function gather(source: ByteSource, view: View, bytes: number): Promise<ArrayBuffer> {
  const { dtype, shape, strides, start } = view;
  const size = itemSize(dtype);
  const result = new Uint8Array(bytes);
  const outStrides = rowMajor(shape);
  const pieces: Piece[] = [{ shape, from: start, to: 0 }];
  for (let piece = pieces.pop(); piece; piece = pieces.pop()) {
    const length = span(piece.shape, strides) * size;
    const wanted = piece.shape.reduce((a, b) => a * b, size);
    const isSparse = length > smallRead && wanted < sparse * length;
    if (length > chunk || isSparse) {
      pieces.push(...halves(piece, strides, outStrides, size));
      continue;
    }
    const read = await readExactly(source, piece.from, length);
    scatter(piece, read, result, strides, outStrides, size);
  }
  return result.buffer;
}

/** A piece cut in two across the axis that reaches furthest. */
function halves(
  { shape, from, to }: Piece,
  strides: readonly number[],
  outStrides: readonly number[],
  size: number,
): Piece[] {
  const reach = shape.map((length, axis) => (length - 1) * (strides[axis] as number));
  const axis = reach.indexOf(Math.max(...reach));
  const first = (shape[axis] as number) >> 1;
  const rest = (shape[axis] as number) - first;
  return [
    {
      shape: shape.with(axis, rest),
      from: from + first * (strides[axis] as number) * size,
      to: to + first * (outStrides[axis] as number) * size,
    },
    { shape: shape.with(axis, first), from, to },
  ];
}

/** Puts a piece's elements, all of which lie in `read`, where they belong. */
function scatter(
  { shape, to }: Piece,
  read: Uint8Array,
  result: Uint8Array,
  strides: readonly number[],
  outStrides: readonly number[],
  size: number,
): void {
  const index = shape.map(() => 0);
  const count = shape.reduce((a, b) => a * b, 1);
  let from = 0;
  let at = to;
  for (let i = 0; i < count; i++) {
    for (let byte = 0; byte < size; byte++) result[at + byte] = read[from + byte] as number;
    // The next element: the last axis that is not at its end goes on, those behind it begin anew.
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const stride = (strides[axis] as number) * size;
      const outStride = (outStrides[axis] as number) * size;
      const next = (index[axis] as number) + 1;
      if (next < (shape[axis] as number)) {
        index[axis] = next;
        from += stride;
        at += outStride;
        break;
      }
      index[axis] = 0;
      from -= (next - 1) * stride;
      at -= (next - 1) * outStride;
    }
  }
}

function rowMajor(shape: readonly number[]): number[] {
  const strides: number[] = [];
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis] as number;
  }
  return strides;
}

/** How far a view reaches, from its first element to behind its last. */
export function span(shape: readonly number[], strides: readonly number[]): number {
  return shape.reduce((reach, size, axis) => reach + (size - 1) * (strides[axis] as number), 1);
}
