import {
  CheckpointError,
  loadWeights,
  openSafetensors,
  selectWeights,
  type TensorData,
} from "@dino/checkpoint";
import { onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { encode, float32 } from "./files.ts";

const backbone = {
  parameterShapes: {
    cls_token: [1, 1, 2],
    pos_embed: [1, 5, 2],
    "patch_embed.proj.weight": [2, 3, 1, 1],
    "norm.weight": [2],
  },
};
const head = { parameterShapes: { "mlp.0.weight": [2, 2], "last_layer.weight_g": [2, 1] } };

/** Tensors of a module under a prefix, all of one value. */
function filled(
  { parameterShapes }: { parameterShapes: Record<string, readonly number[]> },
  prefix: string,
  value: number,
): Record<string, TensorData> {
  return Object.fromEntries(
    Object.entries(parameterShapes).map(([name, shape]) => {
      const length = shape.reduce((a, b) => a * b, 1);
      return [prefix + name, float32(shape, new Array(length).fill(value))];
    }),
  );
}

const open = (entries: Record<string, TensorData>) =>
  openSafetensors(
    Object.assign(new Blob([new Uint8Array(encode(entries))]), { name: "weights.safetensors" }),
  );

/** The value of the first parameter, after the tensors are checked and freed. */
function firstValue(
  params: Record<string, tf.Tensor>,
  { parameterShapes }: { parameterShapes: Record<string, readonly number[]> },
): number {
  expect(Object.keys(params)).toEqual(Object.keys(parameterShapes));
  for (const [name, tensor] of Object.entries(params)) {
    expect(tensor.dtype).toBe("float32");
    expect(tensor.shape).toEqual(parameterShapes[name]);
  }
  const value = Object.values(params)[0]?.dataSync()[0] as number;
  tf.dispose(params);
  return value;
}

onEveryBackend(() => {
  test.each([
    "",
    "module.",
    "backbone.",
    "module.backbone.",
    "teacher.backbone.",
    "teacher.module.backbone.",
  ])('finds a backbone under "%s" by itself', async (prefix) => {
    const before = tf.memory().numTensors;
    const checkpoint = await open(filled(backbone, prefix, 3));
    expect(firstValue(await loadWeights(backbone, checkpoint), backbone)).toBe(3);
    expect(tf.memory().numTensors).toBe(before);
  });

  test("takes the teacher of a training checkpoint, the student when asked, and heads too", async () => {
    const checkpoint = await open({
      ...filled(backbone, "student.module.backbone.", 1),
      ...filled(head, "student.module.head.", 2),
      ...filled(backbone, "teacher.backbone.", 3),
      ...filled(head, "teacher.head.", 4),
      "loss.center": float32([2], [0, 0]),
    });
    const from = "student";
    expect(firstValue(await loadWeights(backbone, checkpoint), backbone)).toBe(3);
    expect(firstValue(await loadWeights(backbone, checkpoint, { from }), backbone)).toBe(1);
    expect(firstValue(await loadWeights(head, checkpoint), head)).toBe(4);
    expect(firstValue(await loadWeights(head, checkpoint, { from }), head)).toBe(2);
    const prefix = "student.module.backbone.";
    expect(firstValue(await loadWeights(backbone, checkpoint, { prefix }), backbone)).toBe(1);

    const network = {
      parameterShapes: {
        ...prefixed("backbone.", backbone.parameterShapes),
        ...prefixed("head.", head.parameterShapes),
      },
    };
    expect(firstValue(await loadWeights(network, checkpoint), network)).toBe(3);
  });

  test("makes float32 of halves, doubles and integers", async () => {
    const module = { parameterShapes: { f16: [1], f64: [1], i64: [1], u8: [1] } };
    const checkpoint = await open({
      f16: { dtype: "F16", shape: [1], data: Float32Array.of(0.5) },
      f64: { dtype: "F64", shape: [1], data: Float64Array.of(0.1) },
      i64: { dtype: "I64", shape: [1], data: BigInt64Array.of(-7n) },
      u8: { dtype: "U8", shape: [1], data: Uint8Array.of(200) },
    });
    const params = await loadWeights(module, checkpoint);
    const values = Object.values(params).map((tensor) => tensor.dataSync()[0]);
    expect(values).toEqual([0.5, Math.fround(0.1), -7, 200]);
    tf.dispose(params);
  });

  test("leaks nothing when a tensor cannot be read", async () => {
    const before = tf.memory().numTensors;
    const checkpoint = await open(filled(backbone, "", 1));
    const failing = {
      ...checkpoint,
      read: (name: string) =>
        name === "norm.weight" ? Promise.reject(new Error("disk")) : checkpoint.read(name),
    };
    await expect(loadWeights(backbone, failing)).rejects.toThrow("disk");
    expect(tf.memory().numTensors).toBe(before);
  });
});

test("lists what is missing, unexpected and of another shape in one message", async () => {
  const { "teacher.backbone.norm.weight": _, ...rest } = filled(backbone, "teacher.backbone.", 1);
  const more = Object.fromEntries(
    [..."abcdefg"].map((name) => [`teacher.backbone.${name}`, float32([1], [0])]),
  );
  const wide = { "teacher.backbone.cls_token": float32([1, 1, 3], [0, 0, 0]) };
  const attempt = loadWeights(backbone, await open({ ...rest, ...more, ...wide }));
  await expect(attempt).rejects.toThrow(
    new CheckpointError(
      [
        "weights.safetensors: expected the module's 4 parameters under teacher.backbone., got others",
        "  missing (1): norm.weight",
        "  unexpected (7): teacher.backbone.a, teacher.backbone.b, teacher.backbone.c, teacher.backbone.d, teacher.backbone.e, and 2 more",
        "  of another shape (1): cls_token expected [1, 1, 2], got [1, 1, 3]",
      ].join("\n"),
    ),
  );
});

test("says so when positions are those of another grid", async () => {
  const entries = { ...filled(backbone, "", 1), pos_embed: float32([1, 10, 2], Array(20).fill(0)) };
  await expect(loadWeights(backbone, await open(entries))).rejects.toThrow(
    "  of another shape (1): pos_embed expected [1, 5, 2], got [1, 10, 2] (positions of a 3 x 3 grid for a model " +
      "of 2 x 2: make the model with imageSize 3, its forward pass interpolates them for pictures of other sizes)",
  );
});

test("leaves out and ignores names only when told to, and never another shape", async () => {
  const { "norm.weight": _, ...rest } = filled(backbone, "", 5);
  const partial = { ...rest, "fc.weight": float32([1], [0]) };
  await expect(loadWeights(backbone, await open(partial))).rejects.toThrow(CheckpointError);
  const params = await loadWeights(backbone, await open(partial), { allowPartial: true });
  expect(Object.keys(params)).toEqual(["cls_token", "pos_embed", "patch_embed.proj.weight"]);
  tf.dispose(params);

  const reshaped = { ...partial, cls_token: float32([2], [0, 0]) };
  await expect(loadWeights(backbone, await open(reshaped), { allowPartial: true })).rejects.toThrow(
    "of another shape (1): cls_token",
  );
});

test("gives a module its counters of batches, which many files lack", async () => {
  const name = "bn.num_batches_tracked";
  const module = { parameterShapes: { ...backbone.parameterShapes, [name]: [] } };
  const counter: TensorData = { dtype: "I64", shape: [], data: BigInt64Array.of(9n) };
  const entries = filled(backbone, "", 1);
  for (const [file, value] of [
    [entries, 0],
    [{ ...entries, [name]: counter }, 9],
  ] as const) {
    const params = await loadWeights(module, await open(file));
    expect(params[name]?.dtype).toBe("int32");
    expect(params[name]?.dataSync()[0]).toBe(value);
    tf.dispose(params);
  }
});

test("selects a module's tensors in its order, as strictly", async () => {
  const file = await open(filled(backbone, "teacher.module.backbone.", 4));
  const weights = selectWeights(backbone, file);
  expect([...weights.tensors.keys()]).toEqual(Object.keys(backbone.parameterShapes));
  expect(await weights.read("norm.weight")).toEqual(float32([2], [4, 4]));
  expect(() => selectWeights(head, file)).toThrow("expected weights such as teacher.mlp.0.weight");
});

test("does not mind PyTorch's counters of batches", async () => {
  const counter: TensorData = { dtype: "I64", shape: [], data: BigInt64Array.of(9n) };
  const entries = { ...filled(backbone, "", 1), "bn.num_batches_tracked": counter };
  tf.dispose(await loadWeights(backbone, await open(entries)));
});

test("says which network a file has alone, and what a file of something else holds", async () => {
  const student = await open(filled(backbone, "student.backbone.", 1));
  await expect(loadWeights(backbone, student)).rejects.toThrow(
    'weights.safetensors: expected names under teacher., got student. alone: load with from: "student"',
  );
  const other = await open({ a: float32([], [1]), b: float32([], [1]) });
  await expect(loadWeights(backbone, other, { allowPartial: true })).rejects.toThrow(
    "weights.safetensors: expected weights such as cls_token, got a, b",
  );
  await expect(loadWeights(backbone, await open({}))).rejects.toThrow("got a file without tensors");
});

function prefixed(prefix: string, shapes: Record<string, readonly number[]>) {
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [prefix + name, shape]));
}
