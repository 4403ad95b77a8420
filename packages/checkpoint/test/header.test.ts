import { CheckpointError, openSafetensors } from "@dino/checkpoint";
import fc from "fast-check";
import { expect, test } from "vitest";
import { encode, everyDtype, file } from "./files.ts";

const entry = (dtype: string, shape: string, offsets: string) =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;
const one = (dtype: string, shape: string, offsets: string) =>
  `{"x":${entry(dtype, shape, offsets)}}`;

const dtypes = "U64, I64, F64, F32, U32, I32, BF16, F16, U16, I16, I8, U8, BOOL";
const faults: [fault: string, bytes: Uint8Array, message: string][] = [
  ["a file too short", new Uint8Array(7), "expected a safetensors file of 8 bytes and more, got 7"],
  [
    "a header longer than the file",
    Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, 0x7b),
    "expected a safetensors header of at most 1 bytes, got 9",
  ],
  [
    "a file of torch.save",
    Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 0, 0, 0),
    "expected a safetensors header of at most 1 bytes, got 67324752 (the file looks like one of torch.save: openCheckpoint reads both)",
  ],
  ["no header", file(""), 'expected a header that starts with "{", got byte none'],
  ["a header of another kind", file("[]"), 'expected a header that starts with "{", got byte 91'],
  [
    "bytes that are no UTF-8",
    file(Uint8Array.of(0x7b, 0xff, 0x7d)),
    "expected a header in UTF-8, got other bytes",
  ],
  [
    "a name that comes twice",
    file('{"a":{},"a" :{}}'),
    'expected each name once in the header, got "a" twice',
  ],
  [
    "a name that comes twice, once escaped",
    file('{"a":{},"\\u0061":{}}'),
    'expected each name once in the header, got "a" twice',
  ],
  [
    "a field that comes twice",
    file('{"a":{"dtype":"F32","dtype":"F32"}}'),
    'expected each name once in the header, got "dtype" twice',
  ],
  [
    "half a surrogate pair",
    file('{"\\ud800":{}}'),
    'expected names in Unicode, got half a pair in "\\ud800"',
  ],
  [
    "deep nesting",
    file('{"a":{"shape":[[0]]}}'),
    "expected a header of objects at most 3 deep, got more at character 15",
  ],
  [
    "metadata of another kind",
    file('{"__metadata__":[]}'),
    "__metadata__: expected an object, got []",
  ],
  [
    "metadata that is no text",
    file('{"__metadata__":{"step":3}}'),
    '__metadata__ "step": expected a string, got 3',
  ],
  ["an entry of another kind", file('{"x":3}'), 'tensor "x": entry: expected an object, got 3'],
  [
    "no dtype",
    file('{"x":{"shape":[],"data_offsets":[0,4]}}', 4),
    `tensor "x": dtype: expected one of ${dtypes}, got undefined`,
  ],
  [
    "an 8-bit float",
    file(one("F8_E4M3", "[1]", "[0,1]"), 1),
    `tensor "x": dtype: expected a supported dtype, one of ${dtypes}, got "F8_E4M3"`,
  ],
  [
    "a dtype that objects inherit",
    file(one("constructor", "[1]", "[0,1]"), 1),
    `tensor "x": dtype: expected one of ${dtypes}, got "constructor"`,
  ],
  [
    "a negative size",
    file(one("F32", "[-1]", "[0,4]"), 4),
    'tensor "x": shape: expected non-negative integers, got [-1]',
  ],
  [
    "half a size",
    file(one("F32", "[1.5]", "[0,4]"), 4),
    'tensor "x": shape: expected non-negative integers, got [1.5]',
  ],
  [
    "a size beyond exact integers",
    file(one("U8", "[9007199254740993]", "[0,0]")),
    'tensor "x": shape: expected non-negative integers, got [9007199254740992]',
  ],
  [
    "a product beyond exact integers",
    file(one("F32", "[4294967296,4294967296]", "[0,0]")),
    'tensor "x": shape: expected fewer than 2 ** 53 bytes, got [4294967296, 4294967296]',
  ],
  [
    "offsets beyond the data",
    file(one("F32", "[1]", "[0,4]"), 3),
    'tensor "x": data_offsets: expected start <= end <= 3, the bytes of data, got [0, 4]',
  ],
  [
    "offsets backwards",
    file(one("F32", "[1]", "[4,0]"), 4),
    'tensor "x": data_offsets: expected start <= end <= 4, the bytes of data, got [4, 0]',
  ],
  [
    "three offsets",
    file(one("F32", "[1]", "[0,4,8]"), 8),
    'tensor "x": data_offsets: expected [start, end], got [0, 4, 8]',
  ],
  [
    "a size that does not fit the shape",
    file(one("F32", "[2]", "[0,4]"), 4),
    'tensor "x": data_offsets: expected 8 bytes for F32 [2], got [0, 4]',
  ],
  [
    "a hole",
    file(`{"x":${entry("U8", "[1]", "[1,2]")}}`, 2),
    'tensor "x": expected to start at byte 0, got 1, which leaves a hole before it',
  ],
  [
    "an overlap",
    file(`{"x":${entry("U8", "[2]", "[0,2]")},"y":${entry("U8", "[2]", "[1,3]")}}`, 3),
    'tensor "y": expected to start at byte 2, got 1, which overlaps what is before it',
  ],
  [
    "bytes that are no tensor's",
    file(one("U8", "[1]", "[0,1]"), 2),
    "expected 1 bytes of data for its 1 tensors, got 2",
  ],
];

test.each(faults)("refuses %s", async (_, bytes, message) => {
  const attempt = openSafetensors({
    name: "x.safetensors",
    size: bytes.length,
    read: reader(bytes),
  });
  await expect(attempt).rejects.toThrow(new CheckpointError(`x.safetensors: ${message}`));
});

test("refuses text that is no JSON, and gives the parser's reason", async () => {
  await expect(openSafetensors(file('{"a":'))).rejects.toThrow(
    /^checkpoint: expected a header in JSON, got: ./,
  );
});

test("takes what the format's own implementation takes: spaces at the end, fields it does not know", async () => {
  const header = '{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"more":1}}   ';
  const checkpoint = await openSafetensors(file(header, 1));
  expect((await checkpoint.read("x")).data).toEqual(Uint8Array.of(0));
});

test("keeps messages short, whatever is in the file", async () => {
  const name = "n".repeat(100_000);
  const shape = `[${"-1,".repeat(50_000)}0]`;
  const attempt = openSafetensors(file(`{"${name}":${entry("F32", shape, "[0,0]")}}`));
  const error = await attempt.catch((error: Error) => error);
  expect(error).toBeInstanceOf(CheckpointError);
  expect((error as Error).message.length).toBeLessThan(250);
});

const valid = encode(everyDtype(), { note: "a valid file", "": "é" });
const headerEnd = 8 + new DataView(valid.buffer).getUint32(0, true);

/** Cuts, repeats or overwrites bytes, mostly those of the header. */
const mutation = fc.record({
  at: fc.oneof(
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 7 }) },
    { weight: 8, arbitrary: fc.integer({ min: 8, max: headerEnd - 1 }) },
    { weight: 1, arbitrary: fc.integer({ min: headerEnd, max: valid.length - 1 }) },
  ),
  remove: fc.integer({ min: 0, max: 3 }),
  insert: fc.oneof(
    fc.uint8Array({ maxLength: 3 }),
    fc
      .constantFrom("{", "}", "[", "]", ",", '"', "\\", "0", "9", "-1", "1e9", ":", "null", "F16")
      .map((text) => new TextEncoder().encode(text)),
  ),
  fixLength: fc.boolean(),
});

test("takes a changed file as a valid one or refuses it, and never fails otherwise", async () => {
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async (mutations) => {
      const bytes = mutations.reduce(mutate, valid);
      try {
        const checkpoint = await openSafetensors(bytes);
        let total = 0;
        for (const [name, { shape }] of checkpoint.tensors) {
          const { data } = await checkpoint.read(name);
          expect(data.length).toBe(shape.reduce((a, b) => a * b, 1));
          total += data.length;
        }
        expect(total).toBeLessThanOrEqual(bytes.length);
      } catch (error) {
        expect(error).toBeInstanceOf(CheckpointError);
        expect((error as Error).message.length).toBeLessThan(400);
        refused += 1;
      }
    }),
    { numRuns: 3000 },
  );
  expect(refused).toBeGreaterThan(300);
});

test("never asks for more bytes than there are", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 8, maxLength: 64 }), async (bytes) => {
      const read = async (offset: number, length: number) => {
        expect(offset + length).toBeLessThanOrEqual(bytes.length);
        return bytes.slice(offset, offset + length);
      };
      await openSafetensors({ size: bytes.length, read }).catch((error) => {
        expect(error).toBeInstanceOf(CheckpointError);
      });
    }),
  );
});

function mutate(
  bytes: Uint8Array,
  { at, remove, insert, fixLength }: typeof mutation extends fc.Arbitrary<infer T> ? T : never,
): Uint8Array {
  const parts = [bytes.subarray(0, at), insert, bytes.subarray(at + remove)];
  const changed = new Uint8Array(Buffer.concat(parts));
  if (fixLength && at >= 8 && at < headerEnd) {
    // So that the damage reaches the parser behind the check of the length.
    const view = new DataView(changed.buffer);
    view.setUint32(0, view.getUint32(0, true) + insert.length - remove, true);
  }
  return changed;
}

function reader(bytes: Uint8Array) {
  return async (offset: number, length: number) => bytes.slice(offset, offset + length);
}
