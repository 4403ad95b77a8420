import { expect, test } from "vitest";
import { stepFlops, viewFlops } from "../src/model/flops.ts";

const head = { hidden: 2048, bottleneck: 256, prototypes: 65_536 };
const crops = { globals: 2, globalSize: 224, locals: 8, localSize: 96 };
const vit = (embedDim: number, heads: number, patchSize = 16) => ({
  embedDim,
  heads,
  depth: 12,
  patchSize,
  imageSize: 224,
});

test("counts the forward pass of ViT-S/16", () => {
  expect(viewFlops(vit(384, 6), 224) / 1e9).toBeCloseTo(9.197, 3);
  expect(viewFlops(vit(384, 6), 96) / 1e9).toBeCloseTo(1.618, 3);
});

test.each([
  ["ViT-Ti/16", 192, 31.2, 1],
  ["ViT-S/16", 384, 113.43, 2],
  ["ViT-B/16", 768, 434.8, 1],
])("counts a training step of %s", (_, width, gflop, digits) => {
  expect(stepFlops(vit(width, width / 64), head, crops) / 1e9).toBeCloseTo(gflop, digits);
});

test.each([
  ["resnet18", 3.627],
  ["resnet50", 8.174],
] as const)("counts the forward pass of %s", (resnet, gflop) => {
  expect(viewFlops({ resnet, imageSize: 224 }, 224) / 1e9).toBeCloseTo(gflop, 2);
});

test("counts a training step of ResNet-50", () => {
  // Teacher: two views of 8.174. Student: those and eight of 1.5158, three times but for the stem's
  // gradient of the pictures. And the head, 0.0433 a view forward.
  const forward = 2 * 8.174 + (8 * viewFlops({ resnet: "resnet50", imageSize: 224 }, 96)) / 1e9;
  const stem = (2 * 3 * 64 * 49 * (2 * 112 ** 2 + 8 * 48 ** 2)) / 1e9;
  const perHead = (2 * (2048 * 2048 * 2 + 2048 * 256 + 256 * 65_536)) / 1e9;
  const expected = 2 * 8.174 + 3 * forward - stem + (2 + 3 * 10) * perHead;
  const counted = stepFlops({ resnet: "resnet50", imageSize: 224 }, head, crops) / 1e9;
  expect(counted).toBeCloseTo(expected, 1);
});

test("counts a step without local crops", () => {
  const small = { globals: 2, globalSize: 32, locals: 0, localSize: 16 };
  expect(stepFlops(vit(192, 3, 4), head, small) / 1e9).toBeCloseTo(6.2, 1);
});
