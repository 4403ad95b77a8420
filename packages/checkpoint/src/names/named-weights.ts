import type { Checkpoint, TensorInfo } from "../checkpoint.ts";
import { CheckpointError, quote } from "../checkpoint-error.ts";
import { arrayOf, type TensorArray, type TensorData } from "../dtype.ts";
import { assertRows, tensorNamed } from "../tensor-named.ts";
import { type NameMap, ourName } from "./name-map.ts";

/** The part of a checkpoint that holds one network, under the reference's names. */
export interface NamedWeights extends Checkpoint {
  /** Whose names the file has: `NameMap.name`. */
  readonly naming: string;
  /** What stands in front of these names in the file. */
  readonly prefix: string;
  /** The file's names, whole, for each of ours: several where ours is joined from parts. */
  readonly sources: ReadonlyMap<string, readonly string[]>;
  /** The file's names, whole, that a backbone has no use for. */
  readonly leftOut: readonly string[];
  /** The file's names, whole, that the naming does not know. */
  readonly unknown: readonly string[];
}

/** A checkpoint's tensors below `prefix`, whose names are those of `map`, under the reference's names. */
export function namedWeights(
  checkpoint: Checkpoint,
  map: NameMap,
  prefix: string,
): NamedWeights | undefined {
  const parts = new Map<string, string[]>();
  const leftOut: string[] = [];
  const unknown: string[] = [];
  for (const name of checkpoint.tensors.keys()) {
    const isInside = name.startsWith(prefix);
    // A head for a task may stand beside the network: `classifier.weight` beside `vit.*`.
    const theirs = isInside ? name.slice(prefix.length) : name;
    const isLeftOut = map.leftOut.some((start) => theirs.startsWith(start));
    const ours = ourName(map, theirs);
    if (isLeftOut) leftOut.push(name);
    else if (!isInside) continue;
    else if (!ours) unknown.push(name);
    else {
      const list = parts.get(ours.name) ?? new Array<string>(ours.parts).fill("");
      list[ours.part] = name;
      parts.set(ours.name, list);
    }
  }

  const sources = new Map<string, readonly string[]>();
  const tensors = new Map<string, TensorInfo>();
  for (const [name, list] of parts) {
    if (list.includes("")) unknown.push(...list.filter((part) => part !== ""));
    else {
      sources.set(name, list);
      tensors.set(name, joinedInfo(checkpoint, list));
    }
  }
  if (tensors.size === 0) return undefined;
  return {
    ...checkpoint,
    tensors,
    naming: map.name,
    prefix,
    sources,
    leftOut,
    unknown,
    read: async (name) => {
      const list = tensorNamed(checkpoint.name, sources, name);
      return joined(await Promise.all(list.map((part) => checkpoint.read(part))));
    },
    readRows: async (name, first, count) => {
      const list = tensorNamed(checkpoint.name, sources, name);
      const { shape } = tensorNamed(checkpoint.name, tensors, name);
      assertRows(`${checkpoint.name}: ${quote(name)}`, shape, first, count);
      const rows = (shape[0] as number) / list.length;
      const pieces = list.flatMap((part, i) => {
        const start = Math.min(Math.max(first - i * rows, 0), rows);
        const end = Math.min(Math.max(first + count - i * rows, 0), rows);
        // Of no rows at all the first part gives none, so that there is a dtype.
        return end > start || (count === 0 && i === 0)
          ? [checkpoint.readRows(part, start, end - start)]
          : [];
      });
      return joined(await Promise.all(pieces));
    },
  };
}

/** Dtype and shape of parts one behind the other along the first axis, which must be alike. */
function joinedInfo({ name, tensors }: Checkpoint, list: readonly string[]): TensorInfo {
  const [first, ...others] = list.map((part) => tensors.get(part) as TensorInfo);
  const { dtype, shape } = first as TensorInfo;
  const other = others.findIndex((info) => info.dtype !== dtype || !alike(info.shape, shape));
  if (other >= 0) {
    const got = others[other] as TensorInfo;
    throw new CheckpointError(
      `${name}: tensor ${list[other + 1]}: expected ${dtype} [${shape.join(", ")}], as ${list[0]}, ` +
        `got ${got.dtype} [${got.shape.join(", ")}]`,
    );
  }
  if (list.length === 1) return { dtype, shape };
  return { dtype, shape: [(shape[0] as number) * list.length, ...shape.slice(1)] };
}

function alike(a: readonly number[], b: readonly number[]): boolean {
  return a.length > 0 && a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** Parts one behind the other along the first axis; one alone is itself. */
function joined(parts: readonly TensorData[]): TensorData {
  const [only] = parts as readonly [TensorData];
  if (parts.length === 1) return only;
  const { dtype, shape } = only;
  const length = parts.reduce((sum, { data }) => sum + data.length, 0);
  const data = new (arrayOf(dtype))(length);
  let at = 0;
  for (const part of parts) {
    put(data, part.data, at);
    at += part.data.length;
  }
  const rows = parts.reduce((sum, part) => sum + (part.shape[0] as number), 0);
  return { dtype, shape: [rows, ...shape.slice(1)], data };
}

/** All are of one class, which their type cannot say. */
function put(target: TensorArray, values: TensorArray, at: number): void {
  (target as Float32Array).set(values as Float32Array, at);
}
