import { CheckpointError, quote } from "../checkpoint-error.ts";
import { isNamedGlobal, isUnfinished } from "./pickle-global.ts";
import { kindOf } from "./pickle-machine.ts";

export interface PlainDataLimits {
  /** Containers within each other. */
  readonly depth: number;
  /** Values, characters and bytes of the whole written out, where one that is shared counts each time. */
  readonly size: number;
}

interface Done {
  readonly value: unknown;
  readonly size: number;
  readonly depth: number;
}

/**
 * A pickle's values as data of JavaScript's: dicts become objects without a prototype, tuples and
 * sets arrays, and what a global made is left as it is. What is shared stays shared. The result has
 * no cycles and is small enough to be walked or printed without a further look.
 */
export function plainData(name: string, root: unknown, limits: PlainDataLimits): unknown {
  const done = new Map<object, Done | "open">();

  function convert(value: unknown, level: number): Done {
    if (typeof value === "string") return { value, size: 1 + value.length, depth: 0 };
    if (typeof value !== "object" || value === null) return { value, size: 1, depth: 0 };
    if (isNamedGlobal(value)) {
      return { value: value.globalName, size: 1 + value.globalName.length, depth: 0 };
    }
    const known = done.get(value);
    if (known === "open") {
      throw new CheckpointError(
        `${name}: expected data in the pickle, got ${kindOf(value)} that holds itself`,
      );
    }
    const result = known ?? first(value, level);
    if (level + result.depth > limits.depth) throw tooDeep();
    return result;
  }

  function first(value: object, level: number): Done {
    if (level >= limits.depth) throw tooDeep();
    done.set(value, "open");
    const result = container(value, level + 1);
    done.set(value, result);
    return result;
  }

  function container(value: object, level: number): Done {
    let size = 1;
    let depth = 0;
    const grow = (by: number) => {
      size += by;
      if (size <= limits.size) return;
      throw new CheckpointError(
        `${name}: expected a pickle of at most ${limits.size} values and characters, got more`,
      );
    };
    const child = (item: unknown) => {
      const result = convert(item, level);
      grow(result.size);
      depth = Math.max(depth, result.depth + 1);
      return result.value;
    };
    if (value instanceof Uint8Array) return { value: value.slice(), size: 1 + value.length, depth };
    if (value instanceof Map) {
      const object: Record<string, unknown> = Object.create(null);
      for (const [key, item] of value) {
        const text = keyText(name, key);
        if (text in object) {
          throw new CheckpointError(
            `${name}: expected each key once in a dict, got ${quote(text)} twice`,
          );
        }
        grow(text.length);
        object[text] = child(item);
      }
      return { value: object, size, depth };
    }
    if (Array.isArray(value) || value instanceof Set) {
      const array = Array.from(value as Iterable<unknown>, child);
      return { value: array, size, depth };
    }
    if (isUnfinished(value)) {
      if (value.finished !== undefined) return convert(value.finished, level);
      throw new CheckpointError(
        `${name}: expected every object with its state in the pickle, got one without`,
      );
    }
    return { value, size, depth }; // made by a global
  }

  function tooDeep(): CheckpointError {
    return new CheckpointError(
      `${name}: expected data at most ${limits.depth} deep in the pickle, got deeper`,
    );
  }

  return convert(root, 0).value;
}

/** A dict's key as an object's: text as it is, everything else as Python prints it. */
function keyText(name: string, key: unknown): string {
  if (typeof key === "string") return key;
  if (typeof key === "number" || typeof key === "bigint") return String(key);
  if (typeof key === "boolean") return key ? "True" : "False";
  if (key === null) return "None";
  if (isTuple(key) && key.length < 16 && key.every((item) => typeof item !== "object")) {
    return `(${key.map((item) => keyText(name, item)).join(", ")}${key.length === 1 ? "," : ""})`;
  }
  throw new CheckpointError(
    `${name}: expected keys of text or numbers in a dict, got ${kindOf(key)}`,
  );
}

function isTuple(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && Object.isFrozen(value);
}
