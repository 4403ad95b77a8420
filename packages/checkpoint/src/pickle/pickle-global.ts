/** What a pickle's globals may use of the reader. */
export interface PickleContext {
  /** Counts work that the pickle's length does not bound, one for each element made; too much is an error. */
  spend(elements: number): void;
}

/**
 * What stands for one of Python's classes or functions. It makes data of its arguments and does
 * nothing else: nothing of a pickle is ever executed.
 *
 * Arguments are as the pickle has them: `Map` for a dict, `Set` for a set, arrays for lists and
 * (frozen) for tuples, `Uint8Array` for bytes.
 */
export interface PickleGlobal {
  /** What calling it gives. Absent: it may be named, never called. */
  readonly call?: (args: readonly unknown[], context: PickleContext) => unknown;
  /** Takes the state of what `call` gave. Absent: it has none. */
  readonly build?: (made: unknown, state: unknown, context: PickleContext) => void;
}

/** Globals by their whole name, such as "collections.OrderedDict". */
export type PickleGlobals = ReadonlyMap<string, PickleGlobal>;

/** A global that a pickle names, as a value among others. */
export interface NamedGlobal {
  readonly global: PickleGlobal;
  readonly globalName: string;
}

const named = new WeakSet<object>();

export function nameGlobal(globalName: string, global: PickleGlobal): NamedGlobal {
  const value = Object.freeze({ globalName, global });
  named.add(value);
  return value;
}

export function isNamedGlobal(value: unknown): value is NamedGlobal {
  return typeof value === "object" && value !== null && named.has(value);
}

/** What a global makes before its state says what it is. */
export interface Unfinished {
  /** What stands for it in the end; absent until the state has come. */
  finished?: unknown;
}

const unfinished = new WeakSet<object>();

export function makeUnfinished(): Unfinished {
  const value: Unfinished = {};
  unfinished.add(value);
  return value;
}

export function isUnfinished(value: unknown): value is Unfinished {
  return typeof value === "object" && value !== null && unfinished.has(value);
}
