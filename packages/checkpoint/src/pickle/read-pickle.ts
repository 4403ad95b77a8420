import { type PickleCursor, pickleCursor } from "./pickle-cursor.ts";
import type { PickleGlobals } from "./pickle-global.ts";
import { pickleMachine } from "./pickle-machine.ts";
import { assertProtocol, operations } from "./pickle-opcodes.ts";
import { plainData } from "./plain-data.ts";
import { pythonGlobals } from "./python-globals.ts";

/** How much a pickle may hold; what has more is refused before it takes memory. */
export interface PickleLimits {
  /** Containers within each other, 200 unless said otherwise. */
  readonly depth?: number;
  /**
   * Elements that may be made, 4,000,000 unless said otherwise: a value or a reference is one, a
   * container ten. Written out with all that is shared, the data may have ten times as many values
   * and characters beyond those of the pickle itself.
   */
  readonly elements?: number;
}

export interface ReadPickleOptions {
  /** What errors call it, such as its path. */
  readonly name?: string;
  /** Every class and function that the pickle may name: `pythonGlobals` unless said otherwise. */
  readonly globals?: PickleGlobals;
  /** What a persistent id stands for; where absent, such ids are refused. */
  readonly persistent?: (id: unknown) => unknown;
  readonly limits?: PickleLimits;
}

/**
 * The data in a Python pickle of protocol 2 to 5. Nothing of it is executed: a pickle is a program
 * for a small machine, and this one makes numbers, text, bytes, arrays and objects without a
 * prototype, and what `globals` make of their arguments. A class or function that is not among
 * them is an error that names it.
 *
 * Integers beyond exact ones come as bigints, bytes as `Uint8Array`, tuples and sets as arrays, dicts
 * as objects whose keys are text (a number's digits, `True`, `None`). The result has no cycles.
 */
export function readPickle(bytes: Uint8Array, options: ReadPickleOptions = {}): unknown {
  return readPickleAt(pickleCursor(options.name ?? "pickle", bytes), options);
}

/** The same from where a cursor stands, which is behind the pickle's STOP afterwards. */
export function readPickleAt(cursor: PickleCursor, options: ReadPickleOptions): unknown {
  const { globals = pythonGlobals, persistent, limits = {} } = options;
  const { depth = 200, elements = 4_000_000 } = limits;
  const machine = pickleMachine(cursor, { globals, persistent, elements });
  const start = cursor.position();
  const first = cursor.byte();
  if (first !== proto) {
    throw machine.fail("a pickle of protocol 2 to 5", `a first byte of ${first}`);
  }
  assertProtocol(machine, cursor.byte());
  for (let code = cursor.byte(); code !== stop; code = cursor.byte()) {
    const operation = operations.get(code);
    if (!operation) throw machine.fail("an opcode of a pickle", `${code}`);
    operation(machine);
  }
  const root = machine.pop();
  const size = 10 * elements + (cursor.position() - start);
  return plainData(cursor.name, root, { depth, size });
}

const proto = 0x80;
const stop = 0x2e;
