import "@tensorflow/tfjs"; // the cpu backend, and tfjs-core's gradients
import "@tensorflow/tfjs-backend-wasm";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect } from "vitest";

setWasmPaths(
  `${dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm"))}/`,
);

/** The backends that every numeric test runs on. */
export const backends: readonly string[] = ["cpu", "wasm"];

/**
 * Runs the tests that `define` makes on every backend present. What they leave is freed behind
 * them all.
 */
export function onEveryBackend(define: (backend: string) => void): void {
  describe.each([...backends])("on %s", (backend) => {
    beforeAll(async () => {
      expect(await tf.setBackend(backend)).toBe(true);
      tf.engine().startScope();
      return () => tf.engine().endScope();
    });
    define(backend);
  });
}
