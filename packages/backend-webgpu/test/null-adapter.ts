import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect } from "vitest";
import { create, globals } from "webgpu";

// Dawn's null adapter checks every command and computes nothing, in 512 MB.
const gpu = create(["backend=null"]);

/** Runs a file's tests on the null adapter, and puts back the backend that other files have. */
export function onNullAdapter(): void {
  beforeAll(async () => {
    Object.assign(globalThis, globals);
    const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
    Object.defineProperty(globalThis, "navigator", { value: { gpu }, configurable: true });
    const { registerWebgpuBackend } = await import("../src/register.ts");
    registerWebgpuBackend();
    const { registry } = tf.engine();
    const others = registry.webgpu;
    delete registry.webgpu;
    expect(await tf.setBackend("webgpu")).toBe(true);
    return () => {
      registry.webgpu?.dispose();
      if (others) registry.webgpu = others;
      else delete registry.webgpu;
      if (before) Object.defineProperty(globalThis, "navigator", before);
    };
  });
}
