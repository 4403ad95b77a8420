import type { Engine } from "../engine.ts";
import { cpuEngine } from "./cpu.ts";
import { findDawn, namedAdapter } from "./node/dawn.ts";
import { hostMemory } from "./node/host-memory.ts";
import { nativeEngine } from "./node/native.ts";
import { tensorflowEngine } from "./node/tensorflow.ts";
import { initialiseQuietly, wasmFolder } from "./node/wasm-module.ts";
import { wasmEngine } from "./wasm.ts";
import { webGpuEngine } from "./webgpu.ts";

/** The engines of Node. */
export const engines: readonly Engine[] = [
  tensorflowEngine(),
  webGpuEngine({ find: findDawn, named: namedAdapter }),
  nativeEngine(),
  wasmEngine({ locate: wasmFolder, initialise: initialiseQuietly }),
  cpuEngine(hostMemory()),
  webGpuEngine({ find: findDawn, named: namedAdapter, stock: true }),
];
