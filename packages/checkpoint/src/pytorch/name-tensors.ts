import type { PlainData } from "../checkpoint.ts";
import { CheckpointError, quote } from "../checkpoint-error.ts";

/** A tree of data taken apart. */
export interface NamedTensors<T> {
  /** Tensors by the keys and indices on the way to them, joined with dots. */
  readonly tensors: ReadonlyMap<string, T>;
  /** The rest: containers that held tensors alone are left out, and in lists null stands for them. */
  readonly data: Readonly<Record<string, PlainData>>;
}

/** Characters of all names together; no file needs as many. */
const longestNames = 2 ** 26;

/** Finds the tensors in a tree without cycles, such as the value of a pickle. */
export function nameTensors<T extends object>(
  file: string,
  root: unknown,
  asTensor: (value: unknown) => T | undefined,
): NamedTensors<T> {
  const tensors = new Map<string, T>();
  let characters = 0;

  /** What is left of a value once its tensors are out; nothing where it was made of them alone. */
  function rest(value: unknown, name: string): PlainData | undefined {
    const tensor = asTensor(value);
    if (tensor) {
      if (tensors.has(name)) {
        throw new CheckpointError(
          `${file}: expected each name once, got two tensors called ${quote(name)}`,
        );
      }
      characters += name.length;
      if (characters > longestNames) {
        throw new CheckpointError(`${file}: expected shorter names of tensors, got ${quote(name)}`);
      }
      tensors.set(name, tensor);
      return undefined;
    }
    if (Array.isArray(value)) {
      const items = value.map((item, i) => rest(item, join(name, String(i))));
      const allTensors = items.length > 0 && items.every((item) => item === undefined);
      return allTensors ? undefined : items.map((item) => item ?? null);
    }
    return isRecord(value) ? fieldsWithout(value, name) : (value as PlainData);
  }

  function fieldsWithout(value: Record<string, unknown>, name: string): PlainData | undefined {
    const fields: Record<string, PlainData> = Object.create(null);
    let left = 0;
    const entries = Object.entries(value);
    for (const [key, item] of entries) {
      const plain = rest(item, join(name, key));
      if (plain === undefined) continue;
      fields[key] = plain;
      left += 1;
    }
    return left === 0 && entries.length > 0 ? undefined : fields;
  }

  const left = rest(root, "");
  const data: Record<string, PlainData> = Object.create(null);
  if (Array.isArray(left)) Object.assign(data, Object.fromEntries(left.entries()));
  else if (isRecord(left)) return { tensors, data: left as Record<string, PlainData> };
  else if (left !== undefined) data[""] = left;
  return { tensors, data };
}

function join(name: string, key: string): string {
  return name === "" ? key : `${name}.${key}`;
}

/** An object of a pickle's, which has no prototype; arrays of numbers and bytes have one. */
function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === null;
}
