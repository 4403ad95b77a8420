import { expectNoLeak } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { NativeBackend } from "../src/native-backend.ts";

// Stock kernels alone, on the native backend's arrays: no addon is needed.
const name = "pooled";
const size = 2048;
let backend: NativeBackend;

beforeAll(async () => {
  tf.copyRegisteredKernels("cpu", name);
  tf.registerBackend(name, () => new NativeBackend());
});

afterAll(async () => {
  await tf.setBackend("cpu");
  tf.removeBackend(name);
});

beforeEach(async () => {
  expect(await tf.setBackend(name)).toBe(true);
  backend = tf.backend() as NativeBackend;
  tf.engine().startScope();
});

afterEach(() => tf.engine().endScope());

/** What a native kernel would have made. */
function made(value: number, shape: readonly number[] = [size]): tf.Tensor {
  const info = backend.output(shape);
  backend.values(info).fill(value);
  return tf.engine().makeTensorFromTensorInfo(info, backend);
}

/** The tensor's memory, as only native kernels look at it. */
const memoryOf = (tensor: tf.TensorInfo) => backend.values(tensor).buffer;

/** Takes what waits for arrays of this size, and writes over it. */
const writeOver = () => Array.from({ length: 8 }, () => made(-1));

describe("memory", () => {
  test("is used again when its tensor has gone", () => {
    const first = made(1);
    const memory = memoryOf(first);
    expect(memoryOf(made(2))).not.toBe(memory);
    first.dispose();
    expect(backend.freeBytes()).toBeGreaterThanOrEqual(4 * size);
    expect(memoryOf(made(3))).toBe(memory);
  });

  test("is freed by a tidy, and by the engine's end", () => {
    let memory: ArrayBufferLike | undefined;
    tf.tidy(() => {
      memory = memoryOf(made(1));
    });
    expect(memoryOf(made(2))).toBe(memory);
    backend.dispose();
    expect(backend.freeBytes()).toBe(0);
  });

  test("is not used again while any tensor has it", () => {
    const first = made(1);
    const memory = memoryOf(first);
    const [second, third] = [tf.clone(first), tf.clone(first)];
    first.dispose();
    second.dispose();
    expect(writeOver().map(memoryOf)).not.toContain(memory);
    expect(backend.values(third)).toEqual(new Float32Array(size).fill(1));
    third.dispose();
    expect(memoryOf(made(2))).toBe(memory);
  });

  test.each<[string, (tensor: tf.Tensor) => ArrayLike<number> | Promise<ArrayLike<number>>]>([
    ["dataSync", (tensor) => tensor.dataSync()],
    ["data", (tensor) => tensor.data()],
    ["bufferSync", (tensor) => tensor.bufferSync().values as Float32Array],
  ])("is not used again once %s has given it out", async (_, read) => {
    const first = made(1);
    const memory = memoryOf(first);
    const values = await read(first);
    first.dispose();
    expect(writeOver().map(memoryOf)).not.toContain(memory);
    expect(new Set(Array.from(values))).toEqual(new Set([1]));
  });

  test("is not used again while a slice lies in it", () => {
    const first = made(1, [4, size]);
    const memory = memoryOf(first);
    const slice = tf.slice(first, [1, 0], [2, size]);
    expect(memoryOf(slice)).toBe(memory); // else this would show nothing
    first.dispose();
    for (const tensor of [...writeOver(), made(-1, [4, size])]) {
      expect(memoryOf(tensor)).not.toBe(memory);
    }
    expect(new Set(slice.dataSync())).toEqual(new Set([1]));
  });

  test("is not used again while a complex tensor lies in it", () => {
    const [real, imaginary] = [made(1), made(2)];
    const complex = tf.complex(real, imaginary);
    tf.dispose([real, imaginary]);
    writeOver();
    expect(new Set(tf.real(complex).dataSync())).toEqual(new Set([1]));
    const copy = tf.clone(complex);
    complex.dispose();
    writeOver();
    expect(new Set(tf.imag(copy).dataSync())).toEqual(new Set([2]));
  });

  test("that a variable was assigned stays the variable's", () => {
    const variable = tf.variable(made(1));
    const next = made(2);
    const memory = memoryOf(next);
    variable.assign(next);
    next.dispose();
    expect(writeOver().map(memoryOf)).not.toContain(memory);
    expect(backend.values(variable)).toEqual(new Float32Array(size).fill(2));
    variable.dispose();
    expect(memoryOf(made(3))).toBe(memory);
  });

  test("holds the right values through any order of operations", () => {
    const live: { readonly tensor: tf.Tensor; readonly value: number }[] = [];
    let random = 1;
    const below = (limit: number) => {
      random = (random * 48271) % 2147483647; // Lehmer's generator
      return random % limit;
    };
    const derive: readonly ((tensor: tf.Tensor) => tf.Tensor)[] = [
      (tensor) => tf.clone(tensor),
      (tensor) => tf.reshape(tensor, [4, -1]),
      (tensor) => tf.slice(tf.reshape(tensor, [-1]), 0, tensor.size),
      (tensor) => tf.real(tf.complex(tensor, tensor)),
      (tensor) => tf.maximum(tensor, tensor),
      (tensor) => tf.concat([tensor, tensor]).slice(0, tensor.shape[0]),
    ];
    for (let turn = 0; turn < 600; turn++) {
      const chosen = live[below(live.length + 1)];
      if (chosen === undefined)
        live.push({ tensor: made(turn, [4, 512 * (1 + below(3))]), value: turn });
      else if (live.length > 12 || below(3) === 0) {
        chosen.tensor.dispose();
        live.splice(live.indexOf(chosen), 1);
      } else {
        const operation = derive[below(derive.length)] as (typeof derive)[number];
        live.push({ tensor: tf.tidy(() => operation(chosen.tensor)), value: chosen.value });
      }
      for (const { tensor, value } of live) {
        const values = backend.values(tensor);
        if (values.some((actual) => actual !== value)) expect(values[0]).toBe(value);
      }
    }
    tf.dispose(live.map(({ tensor }) => tensor));
  });
});

describe("a tensor", () => {
  test("may be written over by its consumer while it is the only one on its memory", () => {
    const first = made(1);
    expect(backend.isUnshared(first)).toBe(true);
    const copy = tf.clone(first);
    expect(backend.isUnshared(first)).toBe(false);
    copy.dispose();
    expect(backend.isUnshared(first)).toBe(true);
  });

  test("may not be written over when others know its array", () => {
    const read = made(1);
    read.dataSync();
    expect(backend.isUnshared(read)).toBe(false);
    expect(backend.isUnshared(tf.tensor1d(new Float32Array(size)))).toBe(false);
    const sliced = made(1);
    const slice = tf.slice(sliced, 0, size);
    expect(backend.isUnshared(sliced)).toBe(false);
    expect(backend.isUnshared(slice)).toBe(false);
  });

  test("counts its references once each", () => {
    const first = made(1);
    const same = backend.same(first, [2, size / 2]);
    expect(same).toEqual({ dataId: first.dataId, shape: [2, size / 2], dtype: "float32" });
    expect(backend.refCount(first.dataId)).toBe(2);
    backend.decRef(first.dataId);
    expect(backend.refCount(first.dataId)).toBe(1);
    first.dispose();
    expect(backend.refCount(first.dataId)).toBe(0);
    expect(backend.disposeData(first.dataId)).toBe(true);
  });

  test("has values of its dtype, whatever array the stock kernels keep", () => {
    const whole = tf.tensor1d([1, 2, 3], "int32");
    const cast = tf.cast(whole, "float32");
    expect(cast.dataId).toBe(whole.dataId); // else this would show nothing
    expect(backend.values(cast)).toEqual(new Float32Array([1, 2, 3]));
    expect(backend.values(whole)).toEqual(new Int32Array([1, 2, 3]));
    const hot = tf.oneHot(tf.tensor1d([1], "int32"), 2);
    expect(backend.values(hot)).toEqual(new Int32Array([0, 1]));
    const truths = tf.tensor1d([true, false], "bool");
    expect(backend.values(truths)).toEqual(new Uint8Array([1, 0]));
  });

  test("greets nobody with an advertisement", () => {
    const warnings: unknown[] = [];
    const { warn } = console;
    console.warn = (...words: unknown[]) => warnings.push(words);
    try {
      tf.tensor1d([1]);
      new NativeBackend().makeTensorInfo([1], "float32", new Float32Array(1));
    } finally {
      console.warn = warn;
    }
    expect(warnings).toEqual([]);
  });
});

describe("tfjs's account", () => {
  test("is the same before and after", () => {
    const before = { ...tf.memory(), ids: backend.numDataIds() };
    const [first, second] = [made(1), made(2, [2, size])];
    expect(tf.memory().numTensors).toBe(before.numTensors + 2);
    expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers + 2);
    expect(tf.memory().numBytes).toBe(before.numBytes + 3 * 4 * size);
    const complex = tf.complex(first, tf.clone(first));
    tf.dispose([first, second, complex]);
    tf.disposeVariables();
    tf.engine().endScope();
    tf.engine().startScope();
    expect({ ...tf.memory(), ids: backend.numDataIds() }).toEqual(before);
  });

  test("knows no leak of a gradient", () => {
    const x = made(2, [32, 64]);
    const gradient = tf.grad((value) =>
      tf.sum(tf.square(tf.matMul(value as tf.Tensor2D, x, false, true))),
    );
    expectNoLeak(() => gradient(x));
    expect(backend.numDataIds()).toBeGreaterThan(0);
  });
});

describe.each(["cpu", "wasm"])("a tensor that moves to or from %s", (other) => {
  test("brings its values along and takes nothing with it", async () => {
    await tf.setBackend(other);
    const foreign = tf.fill([size], 3);
    await tf.setBackend(name);
    const native = made(4);
    const memory = memoryOf(native);
    const ids = backend.numDataIds();
    const numbers = tf.memory().numDataBuffers;

    expect(backend.isUnshared(foreign)).toBe(false);
    expect(backend.values(foreign)[0]).toBe(3);
    expect(backend.numDataIds()).toBe(ids + 1);

    await tf.setBackend(other);
    const moved = tf.maximum(native, native);
    await tf.setBackend(name);
    expect(backend.numDataIds()).toBe(ids);
    const over = writeOver();
    expect(over.map(memoryOf)).not.toContain(memory);
    await tf.setBackend(other);
    expect(new Set(moved.dataSync())).toEqual(new Set([4]));
    expect(new Set(tf.maximum(native, foreign).dataSync())).toEqual(new Set([4]));
    tf.dispose(over);
    expect(tf.memory().numDataBuffers).toBe(numbers + 2);
  });

  test("keeps its clones", async () => {
    await tf.setBackend(name);
    const native = made(5);
    const copy = tf.clone(native);
    await tf.setBackend(other);
    tf.maximum(native, 0).dispose();
    native.dispose();
    await tf.setBackend(name);
    writeOver();
    expect(new Set(tf.maximum(copy, 0).dataSync())).toEqual(new Set([5]));
  });
});
