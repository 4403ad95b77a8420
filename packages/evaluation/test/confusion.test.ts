import { classFigures, confusion } from "@dino/evaluation";
import { expect, test } from "vitest";

test("counts what each class was taken for", () => {
  const answers = Int32Array.of(0, 0, 0, 1, 1, 2);
  const predicted = Int32Array.of(0, 0, 1, 1, 0, 0);
  const table = confusion(answers, predicted, 4);
  expect(table).toEqual({
    classes: 4,
    counts: Uint32Array.of(2, 1, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0),
  });
  expect(classFigures(table)).toEqual([
    { count: 3, recall: (100 * 2) / 3, precision: 50 },
    { count: 2, recall: 50, precision: 50 },
    { count: 1, recall: 0, precision: Number.NaN },
    { count: 0, recall: Number.NaN, precision: Number.NaN },
  ]);
});

test.each([
  [[0, 1], [0], "predicted: expected 2 classes, one for each answer, got 1"],
  [[0, -1], [0, 0], "answers: expected classes from 0 to 1, got -1 for row 1"],
  [[0, 1], [0, 2], "predicted: expected classes from 0 to 1, got 2 for row 1"],
])("says what is wrong with %j and %j", (answers, predicted, message) => {
  expect(() => confusion(Int32Array.from(answers), Int32Array.from(predicted), 2)).toThrow(message);
});
