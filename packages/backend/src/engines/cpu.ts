import type { Engine } from "../engine.ts";
import { activate } from "./activate.ts";

/** tfjs in plain JavaScript: everywhere, for tests only. */
export function cpuEngine(memoryBytes?: number): Engine {
  return {
    name: "cpu",
    order: 60,
    detect: async () => ({
      available: true,
      details: "plain JavaScript",
      warning: "plain JavaScript is for tests only, thirty times slower than wasm",
      ...(memoryBytes !== undefined && { memoryBytes }),
    }),
    start: async () => {
      await import("@tensorflow/tfjs-backend-cpu");
      await activate("cpu");
    },
  };
}
