import {
  type Checkpoint,
  CheckpointError,
  openCheckpoint,
  type TensorData,
} from "@dino/checkpoint";
import { corpus } from "@dino/testing";
import { expect, test } from "vitest";

const kinds = ["zip", "legacy"].flatMap((kind) => [2, 3, 4, 5].map((p) => `${kind}-${p}`));
const up = (count: number) => Array.from({ length: count }, (_, i) => i);

/** What `make.py` put into the files. */
const expected: Readonly<Record<string, readonly [TensorData["dtype"], number[], number[]]>> = {
  contiguous: ["F32", [2, 3, 4], up(24)],
  permuted: [
    "F32",
    [4, 2, 3],
    up(24).map((i) => 12 * (Math.floor(i / 3) % 2) + 4 * (i % 3) + Math.floor(i / 6)),
  ],
  part: ["F32", [2, 2, 2], [4, 6, 8, 10, 16, 18, 20, 22]],
  second: ["F32", [3, 4], up(12).map((i) => 12 + i)],
  expanded: ["F32", [5, 3], up(15).map(() => 1)],
  scalar: ["F32", [], [3.5]],
  empty: ["F32", [0, 3], []],
  parameter: ["F32", [2, 2], [0.5, 0.5, 0.5, 0.5]],
  storage: ["F32", [3], [0, 1, 2]],
  float64: ["F64", [4], up(4)],
  float16: ["F16", [4], up(4)],
  bfloat16: ["BF16", [4], up(4)],
  int64: ["I64", [4], up(4)],
  int32: ["I32", [4], up(4)],
  int16: ["I16", [4], up(4)],
  int8: ["I8", [4], up(4)],
  uint64: ["U64", [4], up(4)],
  uint32: ["U32", [4], up(4)],
  uint16: ["U16", [4], up(4)],
  uint8: ["U8", [4], up(4)],
  bool: ["BOOL", [4], [0, 1, 1, 1]],
  half_permuted: [
    "F16",
    [3, 2, 4],
    up(24).map((i) => 12 * (Math.floor(i / 4) % 2) + 4 * Math.floor(i / 8) + (i % 4)),
  ],
  bool_permuted: [
    "BOOL",
    [4, 3, 2],
    up(24).map((i) => Number(12 * (i % 2) + 4 * (Math.floor(i / 2) % 3) + Math.floor(i / 6) > 3)),
  ],
  "numpy.rows": ["F32", [2, 3], up(6)],
  "numpy.columns": ["I64", [2, 3], up(6)],
  "ordered.a": ["F32", [1], [1]],
  "steps.0": ["F32", [1], [0]],
  "list.0": ["F32", [1], [1]],
};

const data = {
  numpy: { scalar: 1.5, integer: 7, boolean: true },
  ordered: { b: "text" },
  steps: { 1: "one" },
  list: [null, 2],
  size: [1, 2],
  device: "cuda:0",
  dtype: "torch.float16",
  args: {
    arch: "vit_small",
    lr: 0.0005,
    scale: [0.4, 1],
    seed: null,
    fp16: true,
    output: "/checkpoint/runs",
    nested: { path: "a/b" },
  },
  integers: [0, 255, 65535, -1, 2 ** 40, -(2n ** 63n), 2n ** 70n],
  floats: [0.1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  bytes: Uint8Array.of(0, 255),
  bytearray: Uint8Array.of(97, 98),
  text: "é€😀",
  set: [7],
  frozen: ["a"],
  default: { x: [1] },
  counter: { a: 2, b: 1 },
  deque: [1, 2],
  complex: { real: 1, imag: 2 },
  slice: [1, null, 2],
  tuple: [1, [2, 3]],
  shared: [1, [2, 3]],
};

test.each(kinds)("reads all that a file of torch.save can hold: %s", async (kind) => {
  const checkpoint = await openCheckpoint(corpus(`pth/${kind}.pth`));
  expect([...checkpoint.tensors.keys()].sort()).toEqual(Object.keys(expected).sort());
  for (const [name, [dtype, shape, values]] of Object.entries(expected)) {
    expect(checkpoint.tensors.get(name)).toMatchObject({ dtype, shape });
    const tensor = await checkpoint.read(name);
    expect([name, tensor.dtype, tensor.shape]).toEqual([name, dtype, shape]);
    expect([name, ...numbers(tensor)]).toEqual([name, ...values]);
  }
  expect(checkpoint.data).toEqual(data);
});

test("gives objects no prototype, at any depth", async () => {
  const checkpoint = await openCheckpoint(corpus("pth/zip-2.pth"));
  const args = checkpoint.data.args as Record<string, object>;
  for (const object of [checkpoint.data, args, args.nested]) {
    expect(Object.getPrototypeOf(object)).toBe(null);
  }
});

test("reads an optimizer's state by its names", async () => {
  const checkpoint = await openCheckpoint(corpus("pth/training.pth"));
  expect([...checkpoint.tensors.keys()]).toEqual([
    "model.weight",
    "model.bias",
    ...[0, 1].flatMap((i) =>
      ["step", "exp_avg", "exp_avg_sq"].map((name) => `optimizer.state.${i}.${name}`),
    ),
    "tagged",
  ]);
  expect(await first(checkpoint, "optimizer.state.0.exp_avg")).toBeCloseTo(0.1);
  expect(checkpoint.data).toMatchObject({
    optimizer: { param_groups: [{ lr: 0.001, betas: [0.9, 0.999], params: [0, 1] }] },
    scaler: { scale: 65536 },
  });
});

const storages =
  "DoubleStorage, FloatStorage, HalfStorage, BFloat16Storage, LongStorage, IntStorage, ShortStorage, CharStorage, ByteStorage, BoolStorage";
const unknown = (name: string) =>
  `expected only globals that stand for data, got "${name}", which is not among them and was not run`;

test.each([
  [
    "complex",
    `a persistent id: expected a storage of ${storages}, got "torch.ComplexFloatStorage"`,
  ],
  [
    "conjugate",
    `a persistent id: expected a storage of ${storages}, got "torch.ComplexFloatStorage"`,
  ],
  [
    "float8",
    'torch._utils._rebuild_tensor_v3: expected a dtype of float64, float32, float16, bfloat16, int64, int32, int16, int8, uint64, uint32, uint16, uint8, bool, got "torch.float8_e4m3fn"',
  ],
  ["negative", 'torch._utils._rebuild_tensor_v2: expected a plain tensor, got one marked "neg"'],
  ["sparse", unknown("torch._utils._rebuild_sparse_tensor")],
  ["meta", unknown("torch._utils._rebuild_meta_tensor_no_storage")],
  ["module", unknown("torch.nn.modules.linear.Linear")],
  ["class", unknown("__main__.Unknown")],
  ["script", "expected tensors of torch.save, got a TorchScript program: save its state_dict()"],
])("refuses by name what is no tensor of numbers: %s", async (name, message) => {
  await expect(openCheckpoint(corpus(`pth/refused-${name}.pth`))).rejects.toThrow(
    new CheckpointError(`checkpoint: ${message}`),
  );
});

function numbers({ data: elements }: TensorData): number[] {
  return Array.from(elements as ArrayLike<number | bigint>, Number);
}

async function first(checkpoint: Checkpoint, name: string): Promise<number> {
  return numbers(await checkpoint.read(name))[0] as number;
}
