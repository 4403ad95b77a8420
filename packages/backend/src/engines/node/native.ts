import type { Engine } from "../../engine.ts";
import { optionalPackage } from "./optional-package.ts";

const packageName = "@dino/backend-native";
const install = `npm i ${packageName}`;

/** What that package exports: its own engine, which knows the rest. */
interface NativePackage {
  readonly engine: Engine;
}

/** Our own kernels in Rust, where that package is installed. */
export function nativeEngine(): Engine {
  return {
    name: "native",
    order: 30,
    detect: async (options) => {
      const { module, reason } = await optionalPackage<NativePackage>(packageName);
      if (module === undefined) return { available: false, reason, install };
      return await module.engine.detect(options);
    },
    start: async (options) => {
      const { module, reason } = await optionalPackage<NativePackage>(packageName);
      if (module === undefined) throw new Error(reason);
      await module.engine.start(options);
    },
  };
}
