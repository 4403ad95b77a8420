import {
  CheckpointError,
  encodeSafetensors,
  openSafetensors,
  streamSafetensors,
  type TensorData,
} from "@dino/checkpoint";
import { onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { encode, everyDtype, float32, join } from "./files.ts";

test("writes the bytes that the format's own implementation writes", () => {
  // safetensors.numpy.save(..., metadata={"b": "1", "a": "2"}) of safetensors 0.8.0, where it happens to sort metadata
  const header =
    '{"__metadata__":{"a":"2","b":"1"},"n":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},' +
    '"a":{"dtype":"F32","shape":[2,1],"data_offsets":[8,16]},"z":{"dtype":"F32","shape":[],"data_offsets":[16,20]},' +
    '"m":{"dtype":"BOOL","shape":[1],"data_offsets":[20,21]}}';
  const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
  const expected = Buffer.concat([
    Uint8Array.of(padded.length & 255, padded.length >> 8, 0, 0, 0, 0, 0, 0),
    Buffer.from(padded),
    Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40, 0, 0, 0x40, 0x40, 1),
  ]);
  const entries: Record<string, TensorData> = {
    z: float32([], [3]),
    m: { dtype: "BOOL", shape: [1], data: Uint8Array.of(1) },
    a: float32([2, 1], [1, 2]),
    n: { dtype: "I64", shape: [1], data: BigInt64Array.of(1n) },
  };
  expect(Buffer.from(encode(entries, { b: "1", a: "2" })).equals(expected)).toBe(true);
});

test("reads every dtype back as it was, and knows names, shapes and metadata at once", async () => {
  const entries = everyDtype();
  const checkpoint = await openSafetensors(encode(entries, { step: "12" }));
  expect(checkpoint.metadata).toMatchObject({ step: "12" });
  expect([...checkpoint.tensors.keys()].sort()).toEqual(Object.keys(entries).sort());
  for (const [name, entry] of Object.entries(entries)) {
    expect(checkpoint.tensors.get(name)).toMatchObject({ dtype: entry.dtype, shape: entry.shape });
    expect(await checkpoint.read(name)).toEqual(entry);
  }
});

test("gives the same bytes for the same tensors in any order", () => {
  const entries = everyDtype();
  const reversed = new Map(Object.entries(entries).reverse());
  expect(encode(reversed, { a: "", b: "é" })).toEqual(encode(entries, { b: "é", a: "" }));
});

test("aligns each tensor to the size of its elements", async () => {
  const bytes = encode(everyDtype());
  expect(new DataView(bytes.buffer).getUint32(0, true) % 8).toBe(0);
  const checkpoint = await openSafetensors(bytes);
  for (const place of checkpoint.tensors.values()) {
    const { start, dtype } = place as unknown as { start: number; dtype: string };
    expect(start % (Number(/\d+/.exec(dtype)?.[0] ?? 8) / 8)).toBe(0);
  }
});

test("round trips any names, shapes, values and metadata", async () => {
  const name = fc.string({ unit: "binary" }).filter((text) => text !== "__metadata__");
  const tensor = fc
    .array(fc.float({ noNaN: false }), { maxLength: 6 })
    .map((values) => float32([values.length, 1], values));
  const tensors = fc.array(fc.tuple(name, tensor), { maxLength: 5 }).map((list) => new Map(list));
  const metadata = fc.dictionary(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }));
  await fc.assert(
    fc.asyncProperty(tensors, metadata, async (entries, texts) => {
      const checkpoint = await openSafetensors(encode(entries, texts));
      expect(Object.entries(checkpoint.metadata).sort()).toEqual(Object.entries(texts).sort());
      expect(checkpoint.tensors.size).toBe(entries.size);
      for (const [key, entry] of entries) expect(await checkpoint.read(key)).toEqual(entry);
    }),
  );
});

test("keeps every half, NaN payloads included, from reading to writing", async () => {
  const halves = Uint16Array.from({ length: 65536 }, (_, i) => i);
  for (const dtype of ["F16", "BF16"] as const) {
    const bytes = encode({ x: { dtype: "U16", shape: [65536], data: halves } });
    const text = Buffer.from(bytes).toString("latin1");
    const renamed = Buffer.from(
      dtype === "F16" ? text.replace('"U16"', '"F16"') : text.replace('"U16",', '"BF16",'),
      "latin1",
    );
    if (dtype === "BF16") renamed[0] = (renamed[0] as number) + 1;
    const { data } = await (await openSafetensors(renamed)).read("x");
    const back = encode({ x: { dtype, shape: [65536], data } });
    expect(new Uint16Array(back.slice(-2 * 65536).buffer)).toEqual(halves);
  }
});

test("rounds to the nearest half, ties to even", async () => {
  const cases: [value: number, half: number][] = [
    [1 + 2 ** -11, 1],
    [1 + 3 * 2 ** -11, 1 + 2 ** -9],
    [65519, 65504],
    [65520, Number.POSITIVE_INFINITY],
    [2 ** -25, 0],
    [2 ** -25 + 2 ** -40, 2 ** -24],
    [2 ** -14 - 2 ** -26, 2 ** -14],
    [-1e-30, -0],
  ];
  const data = Float32Array.from(cases, ([value]) => value);
  const file = encode({ x: { dtype: "F16", shape: [cases.length], data } });
  const read = await (await openSafetensors(file)).read("x");
  expect(read.data).toEqual(Float32Array.from(cases, ([, half]) => half));
});

test("treats a tensor called __proto__ like any other", async () => {
  const entries = new Map([["__proto__", float32([1], [4])]]);
  const checkpoint = await openSafetensors(encode(entries, JSON.parse('{"__proto__":"text"}')));
  expect((await checkpoint.read("__proto__")).data).toEqual(Float32Array.of(4));
  expect(Object.entries(checkpoint.metadata)).toEqual([["__proto__", "text"]]);
  expect("polluted" in {}).toBe(false);
});

test("reads the header alone, and then one tensor's bytes at a time", async () => {
  const bytes = encode(everyDtype());
  const reads: [number, number][] = [];
  const checkpoint = await openSafetensors({
    size: bytes.length,
    read: async (offset, length) => {
      reads.push([offset, length]);
      return bytes.subarray(offset, offset + length);
    },
  });
  expect(reads.map(([offset]) => offset)).toEqual([0, 8]);
  await checkpoint.read("layer.b");
  expect(reads[2]?.[1]).toBe(16);
  expect(reads.length).toBe(3);
});

test("reads some rows of a tensor, and their bytes alone", async () => {
  const bytes = encode({
    x: float32([4, 3], [0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32]),
    half: { dtype: "F16", shape: [3], data: Float32Array.of(1, 2, 3) },
    one: float32([], [1]),
  });
  const reads: number[] = [];
  const checkpoint = await openSafetensors({
    size: bytes.length,
    read: async (offset, length) => {
      reads.push(length);
      return bytes.subarray(offset, offset + length);
    },
  });
  const { dtype, shape, data } = await checkpoint.readRows("x", 1, 2);
  expect({ dtype, shape, data }).toEqual(float32([2, 3], [10, 11, 12, 20, 21, 22]));
  expect(reads.at(-1)).toBe(24);
  expect((await checkpoint.readRows("half", 2, 1)).data).toEqual(Float32Array.of(3));
  expect((await checkpoint.readRows("x", 4, 0)).shape).toEqual([0, 3]);
  await expect(checkpoint.readRows("x", 3, 2)).rejects.toThrow(
    'checkpoint: "x": expected some of its 4 rows, got 2 from 3',
  );
  await expect(checkpoint.readRows("one", 0, 1)).rejects.toThrow(
    'checkpoint: "one": expected a tensor with rows, got a single number',
  );
});

test("reads from a Blob, from a File by its name, and from bytes that start anywhere", async () => {
  const bytes = encode({ x: float32([2], [1, 2]) });
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  const sources = [
    new Blob([new Uint8Array(bytes)]),
    new File([new Uint8Array(bytes)], "x.safetensors"),
  ];
  for (const source of [...sources, shifted.subarray(1), Buffer.from(bytes)]) {
    const checkpoint = await openSafetensors(source);
    expect((await checkpoint.read("x")).data).toEqual(Float32Array.of(1, 2));
  }
  expect((await openSafetensors(sources[1] as File)).name).toBe("x.safetensors");
});

test("gives tensors memory of their own", async () => {
  const bytes = encode({ x: float32([1], [1]) });
  const { data } = await (await openSafetensors(bytes)).read("x");
  bytes.fill(0, -4);
  expect(data[0]).toBe(1);
});

onEveryBackend(() => {
  test("streams tensors off the backend, and leaves them their owner's", async () => {
    const params = {
      w: tf.tensor2d([1, 2, 3, 4], [2, 2]),
      steps: tf.tensor1d([5], "int32"),
      mask: tf.tensor1d([true, false], "bool"),
    };
    const before = tf.memory().numTensors;
    const chunks: Uint8Array[] = [];
    for await (const chunk of streamSafetensors(params, { kind: "test" })) chunks.push(chunk);
    expect(tf.memory().numTensors).toBe(before);
    const entries: Record<string, TensorData> = {
      w: float32([2, 2], [1, 2, 3, 4]),
      steps: { dtype: "I32", shape: [1], data: Int32Array.of(5) },
      mask: { dtype: "BOOL", shape: [2], data: Uint8Array.of(1, 0) },
    };
    expect(join(chunks)).toEqual(encode(entries, { kind: "test" }));
    tf.dispose(params);
  });
});

test("says what cannot be written", () => {
  const x = float32([2], [1, 2]);
  const attempt = (entries: Record<string, unknown>, metadata?: Record<string, unknown>) => () =>
    encodeSafetensors(entries as Record<string, TensorData>, metadata as Record<string, string>);
  const faults: [() => unknown, string][] = [
    [attempt({ x: { ...x, shape: [3] } }), "x: expected 3 elements for [3], got 2"],
    [attempt({ x: { ...x, dtype: "I32" } }), "x: expected Int32Array for I32, got Float32Array"],
    [
      attempt({ x: { ...x, dtype: "F8_E4M3" } }),
      "x: expected a dtype of U64, I64, F64, F32, U32, I32, BF16, F16, U16, I16, I8, U8, BOOL, got F8_E4M3",
    ],
    [
      attempt({ x: { ...x, shape: [-1] } }),
      "x: expected a shape of non-negative integers, got [-1]",
    ],
    [
      attempt({ __metadata__: x }),
      "__metadata__: expected another name, got the one that metadata has",
    ],
    [attempt({ "\ud800": x }), 'name: expected Unicode text, got half a pair in "\\ud800"'],
    [attempt({ x }, { step: 3 }), 'metadata "step": expected a string, got number'],
  ];
  for (const [run, message] of faults) expect(run).toThrow(new CheckpointError(message));
});

test("names the tensor that is not there", async () => {
  const checkpoint = await openSafetensors(encode({ x: float32([], [1]) }));
  await expect(checkpoint.read("y")).rejects.toThrow(
    'checkpoint: expected a tensor "y", got 1 of other names',
  );
});
