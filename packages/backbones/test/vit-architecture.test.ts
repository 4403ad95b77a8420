import { usualHeadWidth, vit, vitOfData, vitOfShapes, vitSizes } from "@dino/backbones/vit";
import { expect, test } from "vitest";

const shapesOf = (shapes: Readonly<Record<string, readonly number[]>>) =>
  new Map(Object.entries(shapes).map(([name, shape]) => [name, { shape }]));

test("shapes tell what a Vision Transformer is built from, but for its heads", () => {
  const sizes = { embedDim: 24, depth: 11, heads: 3, patchSize: 4, imageSize: 20 };
  const { heads, ...told } = sizes;
  expect(vitOfShapes(shapesOf(vit(sizes).parameterShapes))).toEqual(told);
});

test("published models have heads of the usual width", () => {
  for (const { embedDim, heads } of Object.values(vitSizes)) {
    expect(embedDim / usualHeadWidth).toBe(heads);
  }
});

test("shapes of something else tell nothing", () => {
  const { parameterShapes } = vit("tiny", { patchSize: 8, imageSize: 32 });
  const { pos_embed, ...withoutPositions } = parameterShapes;
  expect(vitOfShapes(shapesOf(withoutPositions))).toBeUndefined();
  const grey = { ...parameterShapes, "patch_embed.proj.weight": [192, 1, 8, 8] };
  expect(vitOfShapes(shapesOf(grey))).toBeUndefined();
  expect(vitOfShapes(new Map())).toBeUndefined();
});

test("plain data is an architecture if all of it is there", () => {
  const sizes = { embedDim: 48, depth: 3, heads: 3, patchSize: 8, imageSize: 32 };
  expect(vitOfData({ ...sizes, more: "is left out" })).toEqual(sizes);
  expect(vitOfData({ ...sizes, heads: 1.5 })).toBeUndefined();
  const { depth, ...less } = sizes;
  for (const none of [less, null, undefined, "vit", 3]) expect(vitOfData(none)).toBeUndefined();
});
