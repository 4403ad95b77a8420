import { CheckpointError, decodeNpy, encodeNpy } from "@dino/checkpoint";
import fc from "fast-check";
import { expect, test } from "vitest";

test("writes the bytes that numpy.save writes", () => {
  // numpy.save(file, numpy.array([[1, 2, 3]], dtype="<f4"))
  const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }".padEnd(117);
  const expected = Buffer.concat([
    Buffer.from("\x93NUMPY\x01\x00\x76\x00", "latin1"),
    Buffer.from(`${header}\n`),
    new Uint8Array(Float32Array.of(1, 2, 3).buffer),
  ]);
  const bytes = encodeNpy({ shape: [1, 3], data: Float32Array.of(1, 2, 3) });
  expect(Buffer.from(bytes).equals(expected)).toBe(true);
});

test("round trips every kind of array", () => {
  const arrays = [
    Float32Array.of(1.5, Number.NaN),
    Float64Array.of(Math.PI, -1),
    Int32Array.of(-5, 6),
    BigInt64Array.of(-(2n ** 63n), 1n),
    Uint8Array.of(0, 255),
  ];
  for (const data of arrays) {
    for (const shape of [[2], [1, 2], [2, 1, 1]]) {
      expect(decodeNpy(encodeNpy({ shape, data }))).toEqual({ shape, data });
    }
  }
  const scalar = { shape: [], data: Float32Array.of(3) };
  expect(decodeNpy(encodeNpy(scalar))).toEqual(scalar);
  const empty = { shape: [0, 4], data: new Float32Array(0) };
  expect(decodeNpy(encodeNpy(empty))).toEqual(empty);
});

test("takes any bytes or refuses them", () => {
  const valid = encodeNpy({ shape: [3, 2], data: new Float64Array(6) });
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 127 }),
      fc.integer({ min: 0, max: 255 }),
      fc.integer({ min: 0, max: valid.length }),
      (at, value, length) => {
        const bytes = valid.slice(0, Math.max(length, 100));
        bytes[at] = value;
        try {
          const { shape, data } = decodeNpy(bytes);
          expect(data.length).toBe(shape.reduce((a, b) => a * b, 1));
        } catch (error) {
          expect(error).toBeInstanceOf(CheckpointError);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test("says what it does not read or write", () => {
  const text = (header: string) => {
    const bytes = encodeNpy({ shape: [1], data: Float32Array.of(1) });
    bytes.set(new TextEncoder().encode(header.padEnd(117)), 10);
    return bytes;
  };
  expect(() =>
    decodeNpy(text("{'descr': '<f2', 'fortran_order': False, 'shape': (1,), }")),
  ).toThrow('npy: expected one of <f4, <f8, <i4, <i8, |u1, got "<f2"');
  expect(() => decodeNpy(text("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }"))).toThrow(
    "npy: expected rows first (C order), got Fortran order: save numpy.ascontiguousarray(array)",
  );
  expect(() =>
    decodeNpy(text("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }")),
  ).toThrow("npy: expected 2 elements for [2], got 1");
  expect(() => decodeNpy(new Uint8Array(20))).toThrow(
    "npy: expected a .npy file of version 1.0, got other bytes",
  );
  expect(() => encodeNpy({ shape: [2, 2], data: Float32Array.of(1) })).toThrow(
    new CheckpointError("npy: expected 4 elements for [2, 2], got 1"),
  );
});
