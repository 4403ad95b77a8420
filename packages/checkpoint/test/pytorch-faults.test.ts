import { CheckpointError, openCheckpoint, openPytorch } from "@dino/checkpoint";
import { corpus } from "@dino/testing";
import { expect, test } from "vitest";
import { dict, global, int, ops, pickle, type TensorParts, tensor, text, tuple } from "./pickle.ts";
import { join, u16, u64, type ZipEntry, zip } from "./zip.ts";

const six = new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer);
const entry = (name: string, bytes: Uint8Array | string, method?: number): ZipEntry => ({
  name: `archive/${name}`,
  bytes: typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes,
  ...(method === undefined ? {} : { method }),
});

/** A zip file of one tensor called "x", and of one storage of six float32. */
const oneTensor = (parts: TensorParts = {}, ...more: readonly ZipEntry[]) =>
  zip([entry("data.pkl", pickle(dict({ x: tensor(parts) }))), entry("data/0", six), ...more]);

/** A file from before 1.6 of the same. */
function legacy(parts: TensorParts = {}, { count = 6, little = 0x88, keys = ["0"] } = {}) {
  const magic = pickle(0x8a, 10, ops(0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19));
  const version = pickle("M", u16(1001));
  const machine = pickle(dict({ little_endian: ops(little) }));
  const data = pickle(dict({ x: tensor(parts) }));
  const list = pickle("]", "(", ...keys.map(text), "e");
  return join(magic, version, machine, data, list, u64(count), six);
}

const read = async (bytes: Uint8Array) => (await openPytorch(bytes)).read("x");

test("reads the tensor that the faults below are made of", async () => {
  const expected = { dtype: "F32", shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
  expect(await read(oneTensor())).toEqual(expected);
  expect(await read(legacy())).toEqual(expected);
});

test("reads zip files with the extra fields of large ones, and with a pickle at the top", async () => {
  const entries = [entry("data.pkl", pickle(dict({ x: tensor() }))), entry("data/0", six)];
  expect((await read(zip(entries, { zip64: true }))).data).toHaveLength(6);
  const top = entries.map(({ name, bytes }) => ({ name: name.slice("archive/".length), bytes }));
  expect((await read(zip(top))).data).toHaveLength(6);
});

test.each([
  ["", "an empty file"],
  ["<!DOCTYPE html><title>404</title>", "a web page"],
  [
    "version https://git-lfs.github.com/spec/v1\n",
    "a pointer of Git LFS in its place: git lfs pull fetches the file",
  ],
  ["\x7fELF\x02\x01\x01", 'a file that begins with "\x7fELF\\u0002\\u0001\\u0001"'],
])("says what else a file may be: %j", async (content, nature) => {
  await expect(openCheckpoint(new TextEncoder().encode(content))).rejects.toThrow(
    new CheckpointError(
      `checkpoint: expected a safetensors file or one of torch.save, got ${nature}`,
    ),
  );
});

test("reads a part of a storage, as old files have it", async () => {
  const part = tuple(text("1"), int(2), int(4));
  const parts = { part, offset: 1, shape: [3], strides: [1] };
  expect((await read(legacy(parts))).data).toEqual(Float32Array.of(4, 5, 6));
  await expect(read(legacy({ ...parts, offset: 2 }))).rejects.toThrow(
    "expected a view of the 4 elements of storage 0, got [3] with strides [1] at 2",
  );
});

test("tells a file by its content, where the length of safetensors looks like a pickle", async () => {
  const header = '{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'.padEnd(0x0280);
  const bytes = join(u64(header.length), new TextEncoder().encode(header), Uint8Array.of(7));
  expect([bytes[0], bytes[1]]).toEqual([0x80, 2]);
  expect((await openCheckpoint(bytes)).format).toBe("safetensors");
  expect((await openCheckpoint(oneTensor())).format).toBe("pytorch");
  expect((await openCheckpoint(legacy())).format).toBe("pytorch");
});

const view = "torch._utils._rebuild_tensor_v2: expected a view of";
const faults: [fault: string, bytes: Uint8Array, message: string][] = [
  [
    "a view beyond its storage",
    oneTensor({ offset: 1 }),
    `${view} the 6 elements of storage 0, got [2, 3] with strides [3, 1] at 1`,
  ],
  [
    "strides beyond its storage",
    oneTensor({ strides: [4, 1] }),
    `${view} the 6 elements of storage 0, got [2, 3] with strides [4, 1] at 0`,
  ],
  [
    "a shape beyond exact integers",
    oneTensor({ shape: [2 ** 52, 2 ** 52], strides: [2 ** 52, 2 ** 52] }),
    `${view} the 6 elements of storage 0, got [4503599627370496, 4503599627370496] with strides [4503599627370496, 4503599627370496] at 0`,
  ],
  [
    "an element repeated without end",
    oneTensor({ shape: [2 ** 40], strides: [0] }),
    `${view} at most 1048576 elements, got [1099511627776] with strides [0] at 0`,
  ],
  [
    "a negative size",
    oneTensor({ shape: [-1, 3] }),
    "torch._utils._rebuild_tensor_v2: expected a shape of non-negative integers, got [-1, 3]",
  ],
  [
    "a negative stride",
    oneTensor({ strides: [-3, 1] }),
    "torch._utils._rebuild_tensor_v2: expected strides of non-negative integers, got [-3, 1]",
  ],
  [
    "a negative offset",
    oneTensor({ offset: -1 }),
    "torch._utils._rebuild_tensor_v2: expected an offset of non-negative integers, got -1",
  ],
  [
    "too few strides",
    oneTensor({ strides: [1] }),
    "torch._utils._rebuild_tensor_v2: expected 2 strides, got 1",
  ],
  [
    "a storage longer than its entry",
    oneTensor({ elements: 7 }),
    'storage "0": expected 28 bytes in the file, got 24',
  ],
  [
    "a storage of 2 ** 60 elements",
    oneTensor({ elements: 2 ** 60 }),
    "a persistent id: expected a number of elements, got 1152921504606846976",
  ],
  [
    "a storage that is not there",
    oneTensor({ key: "9" }),
    'storage "9": expected 24 bytes in the file, got none',
  ],
  [
    "one storage of two sizes",
    zip([
      entry(
        "data.pkl",
        pickle(dict({ x: tensor(), y: tensor({ elements: 5, shape: [], strides: [] }) })),
      ),
      entry("data/0", six),
    ]),
    "a persistent id: expected 24 bytes in storage 0, got 20",
  ],
  [
    "a storage of a class of none",
    zip([entry("data.pkl", pickle(tuple(text("storage"), global("torch", "Size")), "Q"))]),
    'a persistent id: expected a storage of DoubleStorage, FloatStorage, HalfStorage, BFloat16Storage, LongStorage, IntStorage, ShortStorage, CharStorage, ByteStorage, BoolStorage, got "torch.Size"',
  ],
  [
    "a module in a persistent id",
    zip([entry("data.pkl", pickle(tuple(text("module"), text("x")), "Q"))]),
    'a persistent id: expected a storage, got "module"',
  ],
  [
    "a tensor of no storage",
    zip([
      entry(
        "data.pkl",
        pickle(global("torch._utils", "_rebuild_tensor_v2"), "(N", int(0), "))t", "R"),
      ),
    ]),
    "torch._utils._rebuild_tensor_v2: expected a storage, got None",
  ],
  [
    "a parameter of no tensor",
    zip([entry("data.pkl", pickle(global("torch._utils", "_rebuild_parameter"), "]", 0x85, "R"))]),
    "torch._utils._rebuild_parameter: expected a tensor, got a list",
  ],
  [
    "two tensors of one name",
    zip([
      entry("data.pkl", pickle(dict({ "x.y": tensor(), x: dict({ y: tensor() }) }))),
      entry("data/0", six),
    ]),
    'expected each name once, got two tensors called "x.y"',
  ],
  [
    "big-endian storages",
    oneTensor({}, entry("byteorder", "big")),
    'expected little-endian tensors, got byteorder "big": save it anew on a little-endian machine',
  ],
  [
    "no pickle",
    zip([entry("model.json", "{}")]),
    "expected a zip file of torch.save with one data.pkl, got 0 in 1 entries",
  ],
  [
    "two pickles",
    zip([entry("data.pkl", pickle("N")), { name: "other/data.pkl", bytes: pickle("N") }]),
    "expected a zip file of torch.save with one data.pkl, got 2 in 2 entries",
  ],
  [
    "an entry that comes twice",
    zip([entry("data.pkl", pickle("N")), entry("data.pkl", pickle("N"))]),
    'expected each zip entry once, got "archive/data.pkl" twice',
  ],
  [
    "a compressed pickle",
    zip([entry("data.pkl", pickle("N"), 8)]),
    'expected zip entries that are stored, as torch.save writes them, got "archive/data.pkl" compressed by method 8',
  ],
  [
    "a zip file that was cut",
    oneTensor().subarray(0, -1),
    "expected a zip file, got: could not find end of central directory. maybe not zip file",
  ],
  [
    "a file of a big-endian machine",
    legacy({}, { little: 0x89 }),
    "expected a file of a little-endian machine, got another: save it anew on one",
  ],
  [
    "a legacy file that was cut",
    legacy().subarray(0, -1),
    `expected ${legacy().length} bytes for its 1 storages, got ${legacy().length - 1}: the file was cut`,
  ],
  [
    "a storage that no tensor has",
    legacy({}, { keys: ["0", "7"] }),
    'expected each storage once that a tensor has, got "7"',
  ],
  ["no storages", legacy({}, { keys: [] }), "expected 1 storages in the file, got 0"],
  [
    "a plain pickle",
    pickle(dict({ x: int(1) })),
    "expected a file of torch.save, got another pickle (readPickle reads plain ones)",
  ],
  [
    "neither of the two",
    new TextEncoder().encode("<html>"),
    "expected a pickle of protocol 2 to 5 in the pickle at 1, got a first byte of 60",
  ],
];

test.each(faults)("refuses %s", async (_, bytes, message) => {
  await expect(openPytorch(bytes)).rejects.toThrow(new CheckpointError(`checkpoint: ${message}`));
});

test("refuses what only shows when a tensor is read, and then by its name", async () => {
  const compressed = zip([
    entry("data.pkl", pickle(dict({ x: tensor() }))),
    entry("data/0", six, 8),
  ]);
  await expect(read(compressed)).rejects.toThrow(
    'checkpoint: expected zip entries that are stored, as torch.save writes them, got "archive/data/0" compressed by method 8',
  );
  await expect(read(legacy({}, { count: 5 }))).rejects.toThrow(
    'checkpoint: storage "0": expected 24 bytes, got 5 elements',
  );
});

test("never asks for more than there is, and reads of a tensor only what it needs", async () => {
  const bytes = corpus("pth/zip-2.pth");
  const asked: [number, number][] = [];
  const checkpoint = await openPytorch({
    size: bytes.length,
    read: async (offset, length) => {
      expect(offset + length).toBeLessThanOrEqual(bytes.length);
      asked.push([offset, length]);
      return bytes.slice(offset, offset + length);
    },
  });
  asked.length = 0;
  expect((await checkpoint.read("second")).data[0]).toBe(12);
  expect(asked.map(([, length]) => length)).toEqual([30, 48]); // the entry's header, half a storage
  await checkpoint.read("contiguous"); // which shares the storage
  expect(asked.map(([, length]) => length)).toEqual([30, 48, 96]);
});
