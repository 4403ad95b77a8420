import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Kernels } from "./kernels.ts";
import type { StockFunctions } from "./stock/stock-functions.ts";

/** What kernels run on. */
export interface MachineInfo {
  readonly instructions: "AVX-512" | "AVX2" | "portable";
  readonly threads: number;
  /** Whether the processor multiplies bfloat16 itself. */
  readonly bf16: boolean;
}

/** The addon's functions. */
export interface Addon extends Kernels, StockFunctions {
  describeMachine(): MachineInfo;
  configureMachine(threads: number, instructions?: string): void;
  /** GFLOP/s of fused multiplications and additions in registers, on all threads. */
  measurePeak(bf16: boolean, seconds: number): number;
  /** Asks the system for large pages under an array that nothing has been written to yet. */
  preferLargePages(array: Float32Array): void;
}

/** There is no addon, or it does not load. */
export class AddonError extends Error {
  /** What would help, where that is known. */
  readonly install?: string;

  constructor(message: string, { install, ...options }: ErrorOptions & { install?: string } = {}) {
    super(message, options);
    this.name = "AddonError";
    if (install !== undefined) this.install = install;
  }
}

const require = createRequire(import.meta.url);
let loaded: Addon | undefined;

/**
 * The addon: the file that `DINO_NATIVE_ADDON` names; in a clone the one that was built there;
 * else the package for this platform. Throws an AddonError where there is none.
 */
export function addon(): Addon {
  loaded ??= load(find());
  return loaded;
}

function load(file: string): Addon {
  try {
    return require(file) as Addon;
  } catch (cause) {
    const [reason] = (cause as Error).message.split("\n", 1);
    throw new AddonError(`does not load: ${reason}`, { cause });
  }
}

function find(): string {
  const named = process.env.DINO_NATIVE_ADDON;
  if (named) return resolve(named);
  const platform = platformName();
  if (existsSync(here("../Cargo.toml"))) return findBuilt(platform);
  const name = `@dino/backend-native-${platform}`;
  try {
    return require.resolve(name);
  } catch (cause) {
    const { optionalDependencies } = require("../package.json") as {
      readonly optionalDependencies: Readonly<Record<string, string>>;
    };
    if (!(name in optionalDependencies))
      throw new AddonError(`no addon for ${platform}`, { cause });
    throw new AddonError(`${name} is not installed`, { install: `npm i ${name}`, cause });
  }
}

function findBuilt(platform: string): string {
  const built = here(`../native/dino-native.${platform}.node`);
  if (existsSync(built)) return built;
  // tools/build-addon.mjs leaves this where it has tried in vain.
  const account = here("../native/not-built.json");
  if (!existsSync(account)) throw new AddonError("not built", { install: "pnpm build" });
  const { reason, remedy } = JSON.parse(readFileSync(account, "utf8")) as {
    readonly reason: string;
    readonly remedy: string;
  };
  throw new AddonError(`not built: ${reason}`, { install: remedy });
}

function here(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

/** What this machine is called, after napi-rs's names: "linux-x64-gnu". */
export function platformName(): string {
  const { platform, arch } = process;
  if (platform === "win32") return `win32-${arch}-msvc`;
  if (platform !== "linux") return `${platform}-${arch}`;
  return `linux-${arch}-${hasGlibc() ? "gnu" : "musl"}`;
}

function hasGlibc(): boolean {
  // A report otherwise looks up the names of open connections, which may take seconds.
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork?: boolean };
  const { excludeNetwork = false } = report;
  report.excludeNetwork = true;
  const { header } = report.getReport() as unknown as {
    readonly header: { readonly glibcVersionRuntime?: string };
  };
  report.excludeNetwork = excludeNetwork;
  return header.glibcVersionRuntime !== undefined;
}
