import { CheckpointError, quote } from "../checkpoint-error.ts";
import type { PickleCursor } from "./pickle-cursor.ts";
import {
  isNamedGlobal,
  nameGlobal,
  type PickleContext,
  type PickleGlobals,
} from "./pickle-global.ts";

export interface PickleMachineOptions {
  readonly globals: PickleGlobals;
  /** What a persistent id stands for; where absent, such ids are refused. */
  readonly persistent?: ((id: unknown) => unknown) | undefined;
  /** Elements that may be made in all: a value or a reference is one, a container ten. */
  readonly elements: number;
}

/** The stack machine that a pickle is a program for. It knows no operation that could execute anything. */
export interface PickleMachine extends PickleContext {
  readonly cursor: PickleCursor;
  readonly fail: (expected: string, got: string) => CheckpointError;
  push(value: unknown): void;
  /** Pushes a new container, which counts for more. */
  pushContainer(value: object): void;
  pop(): unknown;
  top(): unknown;
  mark(): void;
  /** What was pushed since the last mark, which goes. */
  popMark(): unknown[];
  remember(index: number): void;
  rememberNext(): void;
  recall(index: number): void;
  pushGlobal(module: string, name: string): void;
  call(callee: unknown, args: unknown): void;
  build(state: unknown): void;
  persistent(id: unknown): void;
}

export const containerCost = 10;

export function pickleMachine(
  cursor: PickleCursor,
  { globals, persistent, elements }: PickleMachineOptions,
): PickleMachine {
  const stack: unknown[] = [];
  const marks: number[] = [];
  const memo = new Map<number, unknown>();
  /** The global that made an object, for its state. */
  const makers = new WeakMap<object, NonNullable<ReturnType<PickleGlobals["get"]>>>();
  let spent = 0;

  function fail(expected: string, got: string): CheckpointError {
    return new CheckpointError(
      `${cursor.name}: expected ${expected} in the pickle at ${cursor.position()}, got ${got}`,
    );
  }

  function spend(count: number): void {
    spent += count;
    if (spent > elements) throw fail(`at most ${elements} elements`, "more");
  }

  function push(value: unknown): void {
    spend(1);
    stack.push(value);
  }

  function pop(): unknown {
    if (stack.length <= (marks.at(-1) ?? 0)) throw fail("a value on the stack", "none");
    return stack.pop();
  }

  const machine: PickleMachine = {
    cursor,
    fail,
    spend,
    push,
    pushContainer(value) {
      spend(containerCost - 1);
      push(value);
    },
    pop,
    top() {
      if (stack.length <= (marks.at(-1) ?? 0)) throw fail("a value on the stack", "none");
      return stack.at(-1);
    },
    mark() {
      spend(1);
      marks.push(stack.length);
    },
    popMark() {
      const from = marks.pop();
      if (from === undefined) throw fail("a mark on the stack", "none");
      return stack.splice(from);
    },
    remember(index) {
      spend(1);
      memo.set(index, machine.top());
    },
    rememberNext: () => machine.remember(memo.size),
    recall(index) {
      if (!memo.has(index)) throw fail("a value that was remembered", `number ${index}`);
      push(memo.get(index));
    },
    pushGlobal(module, name) {
      const whole = `${module}.${name}`;
      const global = globals.get(whole);
      if (!global) {
        throw new CheckpointError(
          `${cursor.name}: expected only globals that stand for data, got ${quote(whole)}, which is not among them and was not run`,
        );
      }
      machine.pushContainer(nameGlobal(whole, global));
    },
    call(callee, args) {
      if (!isNamedGlobal(callee)) throw fail("a global to call", kindOf(callee));
      if (!Array.isArray(args)) throw fail(`arguments for ${callee.globalName}`, kindOf(args));
      const { global, globalName } = callee;
      if (!global.call) throw fail("a global that can be called", quote(globalName));
      const made = named(globalName, () => global.call?.(args, machine));
      if (typeof made === "object" && made !== null && global.build) makers.set(made, global);
      machine.spend(containerCost);
      push(made);
    },
    build(state) {
      const made = machine.top();
      const maker = typeof made === "object" && made !== null ? makers.get(made) : undefined;
      if (!maker?.build) throw fail("an object that has a state", kindOf(made));
      named("the state of an object", () => maker.build?.(made, state, machine));
    },
    persistent(id) {
      if (!persistent) throw fail("no persistent ids", "one");
      push(named("a persistent id", () => persistent(id)));
    },
  };
  return machine;

  /** Says which file and place an error of a global belongs to. */
  function named<T>(what: string, run: () => T): T {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof PickleValueError)) throw error;
      throw new CheckpointError(`${cursor.name}: ${what}: ${error.message}`, { cause: error });
    }
  }
}

/** What a global throws at arguments that it cannot take; the machine adds the file's name. */
export class PickleValueError extends CheckpointError {}

/** A value's kind in Python's words, for messages. */
export function kindOf(value: unknown): string {
  if (value === null) return "None";
  if (Array.isArray(value)) return Object.isFrozen(value) ? "a tuple" : "a list";
  if (value instanceof Map) return "a dict";
  if (value instanceof Set) return "a set";
  if (value instanceof Uint8Array) return "bytes";
  if (isNamedGlobal(value)) return quote(value.globalName);
  if (typeof value === "string") return quote(value);
  return typeof value === "object" ? "an object" : String(value);
}
