import { CheckpointError, numpyGlobals, pythonGlobals, readPickle } from "@dino/checkpoint";
import { corpus } from "@dino/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { bytes, call, dict, global, int, ops, pickle, text, tuple } from "./pickle.ts";
import { u32 } from "./zip.ts";

const both = new Map([...pythonGlobals, ...numpyGlobals]);

test.each([2, 3, 4, 5])("reads numpy's arrays and scalars of protocol %i", (protocol) => {
  const value = readPickle(corpus(`pickle/numpy-${protocol}.pkl`), { globals: both });
  expect(value).toEqual({
    text: ["ab", "c€😀"],
    bytes: ["x", "yz"],
    objects: [
      [1, "a"],
      [null, [2]],
    ],
    grid: [
      ["a", "b", "c"],
      ["d", "e", "f"],
    ],
    nothing: [],
    zero_axes: { dtype: "I64", shape: [], data: BigInt64Array.of(5n) },
    integers: { dtype: "I64", shape: [4], data: BigInt64Array.of(0n, 1n, 2n, 3n) },
    halves: { dtype: "F16", shape: [3], data: Float32Array.of(0, 1, 2) },
    scalar: "hey",
    dtype: "f4",
  });
});

test("reads what Python 2 wrote: text as bytes, integers and booleans as lines", () => {
  const value = pickle("]", "(", "U", 2, "ab", "T", u32(1), "\xe9", "I01\n", "I12345678901\n", "e");
  expect(readPickle(value)).toEqual(["ab", "é", true, 12345678901]);
});

test("knows no class or function unless it is told of it", () => {
  expect(() => readPickle(corpus("pickle/numpy-4.pkl"), { name: "x.pkl" })).toThrow(
    new CheckpointError(
      'x.pkl: expected only globals that stand for data, got "numpy._core.multiarray._reconstruct", which is not among them and was not run',
    ),
  );
});

test.each([
  ["os", "system"],
  ["posix", "system"],
  ["builtins", "eval"],
  ["builtins", "getattr"],
  ["__builtin__", "constructor"],
  ["collections", "__proto__"],
  ["operator", "attrgetter"],
  ["torch", "load"],
])("refuses %s.%s, by either way of naming it", (module, name) => {
  const message = `got "${module}.${name}", which is not among them and was not run`;
  expect(() => readPickle(pickle(call(global(module, name), text("true"))))).toThrow(message);
  expect(() => readPickle(pickle(text(module), text(name), 0x93, ")", "R"))).toThrow(message);
});

test("takes names that objects inherit for keys like any other", () => {
  const value = readPickle(
    pickle(dict({ __proto__x: int(1), ["__proto__"]: dict({ toString: int(2) }) })),
  ) as object;
  expect(Object.getPrototypeOf(value)).toBe(null);
  expect(Object.keys(value)).toEqual(["__proto__x", "__proto__"]);
  expect(({} as Record<string, unknown>).toString).toBe(Object.prototype.toString);
  const state = dict({ constructor: int(1), ["__proto__"]: dict({ polluted: int(1) }) });
  const made = ops(global("argparse", "Namespace"), ")", 0x81, state, "b");
  expect(Object.keys(readPickle(pickle(made)) as object)).toEqual(["constructor", "__proto__"]);
  expect("polluted" in {}).toBe(false);
});

test("keeps what is shared in one piece", () => {
  const [first, second] = readPickle(pickle("]q\0", "0", "(", "h\0", "h\0", "l")) as unknown[];
  expect(first).toBe(second);
});

test("prints keys that are no text as Python does", () => {
  const key = (value: Uint8Array) => pickle("}", value, int(1), "s");
  const keys = [ops("N"), ops(0x88), ops(0x89), int(-3), tuple(int(1), text("a")), tuple(int(1))];
  expect(keys.map((value) => Object.keys(readPickle(key(value)) as object)[0])).toEqual([
    "None",
    "True",
    "False",
    "-3",
    "(1, a)",
    "(1,)",
  ]);
});

const faults: [fault: string, bytes: Uint8Array, message: string][] = [
  ["nothing", new Uint8Array(0), "expected a pickle with 1 bytes more at 0, got 0"],
  [
    "another file",
    ops("hello"),
    "expected a pickle of protocol 2 to 5 in the pickle at 1, got a first byte of 104",
  ],
  [
    "protocol 1",
    ops(0x80, 1, "N."),
    "expected a pickle of protocol 2 to 5 in the pickle at 2, got 1",
  ],
  [
    "protocol 6",
    ops(0x80, 6, "N."),
    "expected a pickle of protocol 2 to 5 in the pickle at 2, got 6",
  ],
  ["an opcode of none", pickle(0xff), "expected an opcode of a pickle in the pickle at 3, got 255"],
  [
    "the extension registry",
    pickle(0x82, 1),
    "expected an opcode of a pickle in the pickle at 3, got 130",
  ],
  [
    "a buffer out of band",
    pickle(0x97),
    "expected an opcode of a pickle in the pickle at 3, got 151",
  ],
  ["no end", ops(0x80, 2, "N"), "expected a pickle with 1 bytes more at 3, got 0"],
  ["no value", pickle(), "expected a value on the stack in the pickle at 3, got none"],
  [
    "text beyond the end",
    pickle("X", u32(100), "abc"),
    "expected a pickle with 100 bytes more at 7, got 4",
  ],
  [
    "bytes of 2 ** 62",
    pickle(0x8e, u32(0), u32(2 ** 30)),
    "expected a length below 2 ** 53 in the pickle, got 4611686018427388000",
  ],
  [
    "text of other bytes",
    pickle("X", u32(1), 0xff),
    "expected text in UTF-8 in the pickle at 8, got other bytes",
  ],
  [
    "an integer without end",
    pickle(0x8b, u32(5000), new Uint8Array(5000)),
    "expected an integer of at most 1024 bytes in the pickle at 7, got 5000",
  ],
  ["an integer of letters", pickle("Iabc\n"), 'expected an integer in the pickle at 7, got "abc"'],
  [
    "a line without end",
    pickle("c", "x".repeat(600)),
    "expected at most 512 characters in a pickle's line, got more at 3",
  ],
  ["no mark", pickle("t"), "expected a mark on the stack in the pickle at 3, got none"],
  [
    "a value below the mark",
    pickle("N(0"),
    "expected a value on the stack in the pickle at 5, got none",
  ],
  [
    "a memory of nothing",
    pickle("h\x05"),
    "expected a value that was remembered in the pickle at 4, got number 5",
  ],
  [
    "items for a list",
    pickle("]NNs"),
    "expected a dict to set items of in the pickle at 6, got a list",
  ],
  [
    "a key without a value",
    pickle("}(Nu"),
    "expected keys and values in the pickle at 6, got a key without a value",
  ],
  [
    "appending to a tuple",
    pickle(")Na"),
    "expected a list to append to in the pickle at 5, got a tuple",
  ],
  [
    "adding to a list",
    pickle("](N", 0x90),
    "expected a set to add to in the pickle at 6, got a list",
  ],
  [
    "a call of text",
    pickle(text("eval"), ")R"),
    'expected a global to call in the pickle at 13, got "eval"',
  ],
  [
    "a call without a tuple",
    pickle(global("builtins", "set"), "NR"),
    "expected arguments for builtins.set in the pickle at 18, got None",
  ],
  [
    "a call of what only has a name",
    pickle(global("builtins", "int"), ")R"),
    'expected a global that can be called in the pickle at 18, got "builtins.int"',
  ],
  [
    "named arguments",
    pickle(global("builtins", "set"), ")", dict({ a: int(1) }), 0x92),
    "expected a call without named arguments in the pickle at 37, got a dict",
  ],
  [
    "a state for a dict",
    pickle("}}b"),
    "expected an object that has a state in the pickle at 5, got a dict",
  ],
  [
    "fields that are a list",
    pickle(global("argparse", "Namespace"), ")", 0x81, "]b"),
    "the state of an object: expected fields, got a list",
  ],
  [
    "a global's name of numbers",
    pickle("NN", 0x93),
    "expected a global's name in the pickle at 5, got None and None",
  ],
  ["a persistent id", pickle("NQ"), "expected no persistent ids in the pickle at 4, got one"],
  [
    "a list that holds itself",
    pickle("]q\0h\0a"),
    "expected data in the pickle, got a list that holds itself",
  ],
  [
    "a key that is a list",
    pickle("}]Ns"),
    "expected keys of text or numbers in a dict, got a list",
  ],
  [
    "two keys that print alike",
    pickle("}", int(1), "N", "s", text("1"), "N", "s"),
    'expected each key once in a dict, got "1" twice',
  ],
  [
    "text that is no Latin-1",
    pickle(call(global("_codecs", "encode"), text("€"))),
    '_codecs.encode: expected text in Latin-1, got "€"',
  ],
];

test.each(faults)("refuses %s", (_, bytes, message) => {
  expect(() => readPickle(bytes)).toThrow(new CheckpointError(`pickle: ${message}`));
});

const numpyFaults: [fault: string, bytes: Uint8Array, message: string][] = [
  [
    "big-endian numbers",
    corpus("pickle/refused-big-endian.pkl"),
    `the state of an object: expected a little-endian dtype of numpy's, got ">f4"`,
  ],
  [
    "fields",
    corpus("pickle/refused-fields.pkl"),
    "the state of an object: expected a dtype of numpy's, got one with fields",
  ],
  [
    "a dtype of none",
    pickle(call(global("numpy._core.multiarray", "scalar"), text("f8"), bytes(new Uint8Array(8)))),
    `numpy._core.multiarray.scalar: expected a dtype of numpy's, got "f8"`,
  ],
  [
    "too few bytes",
    pickle(fromBuffer("f4", 12, 4)),
    "numpy._core.numeric._frombuffer: expected an array of 16 bytes, got 12",
  ],
  [
    "a shape without end",
    pickle(fromBuffer("f4", 0, 2 ** 40)),
    "numpy._core.numeric._frombuffer: expected an array of 4398046511104 bytes, got 0",
  ],
  [
    "text of no characters without end",
    pickle(fromBuffer("U0", 0, 2 ** 40)),
    "expected at most 4000000 elements in the pickle at 84, got more",
  ],
  [
    "a date",
    pickle(fromBuffer("M8", 8, 1)),
    `numpy._core.numeric._frombuffer: expected a dtype of numpy's of f8, f4, f2, i8, i4, i2, i1, u8, u4, u2, u1, b1, text or objects, got "M8"`,
  ],
  [
    "text beyond Unicode",
    pickle(fromBuffer("U1", 4, 1, 0xff)),
    "numpy._core.numeric._frombuffer: expected text in Unicode, got 4294967295",
  ],
  [
    "an array without its state",
    pickle(call(global("numpy._core.multiarray", "_reconstruct"))),
    "expected every object with its state in the pickle, got one without",
  ],
];

test.each(numpyFaults)("refuses an array of numpy's with %s", (_, value, message) => {
  expect(() => readPickle(value, { globals: both })).toThrow(
    new CheckpointError(`pickle: ${message}`),
  );
});

/** An array whose bytes all have one value. */
function fromBuffer(code: string, length: number, size: number, value = 0): Uint8Array {
  const type = call(global("numpy", "dtype"), text(code));
  const content = bytes(new Uint8Array(length).fill(value));
  return call(
    global("numpy._core.numeric", "_frombuffer"),
    content,
    type,
    tuple(int(size)),
    text("C"),
  );
}

test("limits depth, made elements, and what shared pieces add up to", () => {
  const deep = pickle(
    ...Array.from({ length: 300 }, () => "]"),
    ...Array.from({ length: 299 }, () => "a"),
  );
  expect(() => readPickle(deep)).toThrow(
    "expected data at most 200 deep in the pickle, got deeper",
  );
  expect(readPickle(deep, { limits: { depth: 300 } })).toHaveLength(1);

  // The same depth, built from the inside out, so that no nesting shows on the way.
  const chain = Array.from({ length: 300 }, () => ops("q\0", "0", "]", "h\0", "a"));
  expect(() => readPickle(pickle("]", ...chain))).toThrow("at most 200 deep");

  const many = pickle("(", "]".repeat(1000), "l");
  expect(() => readPickle(many, { limits: { elements: 5000 } })).toThrow(
    "expected at most 5000 elements in the pickle at 503, got more",
  );

  // A list of ten of a list of ten of ...: 10 ** 50 in all, in half a kilobyte.
  const tenfold = Array.from({ length: 50 }, () => ops("q\0", "0", "(", "h\0".repeat(10), "l"));
  expect(() => readPickle(pickle("]", ...tenfold))).toThrow(
    /expected a pickle of at most 4\d{7} values and characters, got more/,
  );
});

test("makes no memory of a few bytes", () => {
  const before = process.memoryUsage().rss;
  const long = "x".repeat(1_000_000);
  const encoded = Array.from({ length: 2000 }, () =>
    ops(global("_codecs", "encode"), "h\0", 0x85, "R"),
  );
  expect(() => readPickle(pickle("(", text(long), "q\0", ...encoded, "l"))).toThrow("elements");
  const keys = Array.from({ length: 2000 }, (_, i) => ops(ops("h\0", int(i)), 0x86, "N"));
  expect(() => readPickle(pickle(text(long), "q\0", "}", "(", ...keys, "u"))).toThrow(
    "values and characters",
  );
  expect(process.memoryUsage().rss - before).toBeLessThan(400e6);
});

test("takes any bytes as a pickle or refuses them, and never fails otherwise", () => {
  const opcode = fc.constantFrom(
    ..."NMKJG]}()tl0aeusRQb.qhcX\x80\x81\x85\x86\x8c\x94\x93".split(""),
  );
  const code = fc.oneof(opcode, fc.string({ maxLength: 3 }));
  let read = 0;
  fc.assert(
    fc.property(fc.array(code, { maxLength: 30 }), (codes) => {
      try {
        readPickle(pickle(...codes), { globals: both });
        read += 1;
      } catch (error) {
        expect(error).toBeInstanceOf(CheckpointError);
        expect((error as Error).message.length).toBeLessThan(400);
      }
    }),
    { numRuns: 3000 },
  );
  expect(read).toBeGreaterThan(0);
});
