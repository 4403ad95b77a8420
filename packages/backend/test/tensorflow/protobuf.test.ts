import { expect, test } from "vitest";
import {
  bytesField,
  floatField,
  joined,
  mapField,
  numberField,
} from "../../src/engines/node/tensorflow/protobuf.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

test("writes the examples of protocol buffers' own description", () => {
  expect(hex(numberField(1, 150))).toBe("089601");
  expect(hex(bytesField(2, "testing"))).toBe("120774657374696e67");
  expect(hex(bytesField(3, numberField(1, 150)))).toBe("1a03089601");
});

test("writes truth values, floats, and fields beyond the fifteenth", () => {
  expect(hex(numberField(5, true))).toBe("2801");
  expect(hex(floatField(5, 1))).toBe("2d0000803f");
  expect(hex(numberField(16, 1))).toBe("800101");
});

test("writes a map as entries of key and value", () => {
  expect(hex(mapField(4, { a: "x", b: "" }))).toBe("22060a0161120178" + "22050a01621200");
});

test.each([0, 1, 127, 128, 300, 16383, 16384, 2 ** 31 - 1])(
  "writes %d so that it can be read",
  (value) => {
    const [, ...digits] = numberField(1, value);
    expect(digits.reduce((sum, digit, i) => sum + (digit % 128) * 128 ** i, 0)).toBe(value);
    expect(digits.every((digit, i) => digit >= 128 === i < digits.length - 1)).toBe(true);
  },
);

test("joins messages", () => {
  expect(hex(joined([numberField(1, 1), numberField(2, 2)]))).toBe("08011002");
});
