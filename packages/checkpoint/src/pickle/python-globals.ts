import type { PickleContext, PickleGlobal, PickleGlobals } from "./pickle-global.ts";
import { kindOf, PickleValueError } from "./pickle-machine.ts";

/** May stand among data, and neither be called nor have a state. */
const inert: PickleGlobal = {};

const list: PickleGlobal = {
  call: ([items = []], context) => [...iterable(items, context)],
};
const tuple: PickleGlobal = {
  call: ([items = []], context) => Object.freeze([...iterable(items, context)]),
};
const set: PickleGlobal = {
  call: ([items = []], context) => new Set(iterable(items, context)),
};

/** A dict of its own class. What hangs on it besides its items, such as `_metadata`, is dropped. */
const dict: PickleGlobal = {
  call: ([items = []], context) => new Map(pairs(items, context)),
  build: () => {},
};

const defaultDict: PickleGlobal = {
  call: ([, items = []], context) => new Map(pairs(items, context)),
};

/** An object that is its fields and nothing else. */
const fields: PickleGlobal = {
  call: () => new Map(),
  build(made, state, { spend }) {
    if (!(state instanceof Map)) throw expected("fields", state);
    spend(state.size);
    for (const [key, value] of state) (made as Map<unknown, unknown>).set(key, value);
  },
};

/** Text in Latin-1, which is how protocol 2 writes bytes. */
const encode: PickleGlobal = { call: ([text], context) => latin1Bytes(text, context) };

const byteArray: PickleGlobal = {
  call: ([source = ""], context) => latin1Bytes(source, context),
};

const complex: PickleGlobal = {
  call: ([real = 0, imaginary = 0]) =>
    new Map([
      ["real", real],
      ["imag", imaginary],
    ]),
};

const range: PickleGlobal = { call: (args) => [...args] };

const posixPath: PickleGlobal = { call: (parts, context) => path("/", parts, context) };
const windowsPath: PickleGlobal = { call: (parts, context) => path("\\", parts, context) };

const builtins: Readonly<Record<string, PickleGlobal>> = {
  list,
  tuple,
  set,
  frozenset: set,
  dict,
  bytearray: byteArray,
  bytes: byteArray,
  complex,
  range,
  xrange: range,
  slice: range,
  object: inert,
  int: inert,
  float: inert,
  bool: inert,
  str: inert,
};

/** What pickles of plain Python data name: containers, `argparse.Namespace`, bytes, paths. */
export const pythonGlobals: PickleGlobals = new Map([
  ...["builtins", "__builtin__"].flatMap((module) =>
    Object.entries(builtins).map(([name, global]) => [`${module}.${name}`, global] as const),
  ),
  ["collections.OrderedDict", dict],
  ["collections.Counter", dict],
  ["collections.defaultdict", defaultDict],
  ["collections.deque", list],
  ["argparse.Namespace", fields],
  ["types.SimpleNamespace", fields],
  ["_codecs.encode", encode],
  ...["pathlib", "pathlib._local"].flatMap(
    (module) =>
      [
        [`${module}.PosixPath`, posixPath],
        [`${module}.PurePosixPath`, posixPath],
        [`${module}.WindowsPath`, windowsPath],
        [`${module}.PureWindowsPath`, windowsPath],
      ] as const,
  ),
]);

function iterable(value: unknown, { spend }: PickleContext): Iterable<unknown> {
  if (Array.isArray(value)) {
    spend(value.length);
    return value;
  }
  if (value instanceof Set) {
    spend(value.size);
    return value;
  }
  throw expected("a list", value);
}

/** A dict's items, from a dict or from a list of keys with their values. */
function* pairs(value: unknown, context: PickleContext): Generator<[unknown, unknown]> {
  if (value instanceof Map) {
    context.spend(value.size);
    yield* value;
    return;
  }
  for (const pair of iterable(value, context)) {
    if (!Array.isArray(pair) || pair.length !== 2) throw expected("a key and a value", pair);
    yield [pair[0], pair[1]];
  }
}

function latin1Bytes(value: unknown, { spend }: PickleContext): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value !== "string") throw expected("text", value);
  spend(value.length / 8);
  const bytes = new Uint8Array(value.length);
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code > 0xff) throw expected("text in Latin-1", value);
    bytes[i] = code;
  }
  return bytes;
}

function path(separator: string, parts: readonly unknown[], { spend }: PickleContext): string {
  const texts = parts.map((part) => {
    if (typeof part !== "string") throw expected("a part of a path", part);
    spend(part.length / 8);
    return part;
  });
  const [root = "", ...rest] = texts;
  const rooted = root.endsWith(separator);
  return rooted ? root + rest.join(separator) : texts.join(separator) || ".";
}

function expected(what: string, got: unknown): PickleValueError {
  return new PickleValueError(`expected ${what}, got ${kindOf(got)}`);
}
