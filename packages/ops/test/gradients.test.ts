import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import "@dino/ops/gradients";

const root = resolve(import.meta.dirname, "..");
/** Below the package, so that what it imports is found as if it were published from there. */
const folder = resolve(root, "node_modules/.cache/gradients");

/** A program that has tfjs-core, the cpu backend and the gradients, and nothing else. */
const program = `
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import "./gradients.js";

await tf.setBackend("cpu");
const x = tf.tensor2d([[1, 2], [3, 4]]);
const slope = tf.grad((x) => tf.sum(tf.mul(tf.softmax(tf.matMul(x, x)), x)))(x);
const image = tf.reshape(tf.range(0, 16), [1, 4, 4, 1]);
const filter = tf.grad((filter) => tf.sum(tf.conv2d(image, filter, 1, "valid")))(tf.ones([2, 2, 1, 1]));
const picked = tf.grad((x) => tf.sum(tf.gather(x, [1, 1])))(x);
console.log(JSON.stringify([slope, filter, picked].map((t) => [...t.dataSync()])));
`;

test("a plain Node program differentiates with tfjs-core and the bundle alone", () => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(resolve(folder, "program.mjs"), program);
  execFileSync("node", [
    resolve(root, "tools/bundle-gradients.mjs"),
    resolve(folder, "gradients.js"),
  ]);
  const output = execFileSync("node", [resolve(folder, "program.mjs")], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [slope, filter, picked] = JSON.parse(output.trim().split("\n").at(-1) as string);
  expect(slope.every(Number.isFinite)).toBe(true);
  expect(slope.some((value: number) => value !== 0)).toBe(true);
  expect(filter).toEqual([45, 54, 81, 90]);
  expect(picked).toEqual([0, 0, 2, 2]);
});
