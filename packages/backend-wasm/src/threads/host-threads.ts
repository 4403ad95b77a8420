import { isNode } from "./start-worker.ts";

interface Host {
  readonly process?: {
    getBuiltinModule?(name: "os"): { availableParallelism(): number };
    getBuiltinModule?(name: "fs"): { readFileSync(path: string, encoding: "utf8"): string };
  };
  readonly navigator?: { readonly hardwareConcurrency?: number };
  readonly crossOriginIsolated?: boolean;
}
const host = globalThis as unknown as Host;

/** In a page more of them are more trouble than help. */
const mostInPages = 16;

/** How many threads kernels have, and where it is one, perhaps why. */
export interface Threads {
  readonly threads: number;
  readonly reason?: string;
}

/** How many threads this host has for kernels: as many as cores, where it can share memory. */
export function hostThreads(): Threads & { readonly canShare: boolean } {
  const none = whyNone();
  if (none !== undefined) return { threads: 1, reason: none, canShare: false };
  const cores = isNode ? nodeCores() : (host.navigator?.hardwareConcurrency ?? 1);
  if (cores === 1) return { threads: 1, reason: "one core", canShare: true };
  return { threads: isNode ? cores : Math.min(mostInPages, cores), canShare: true };
}

function whyNone(): string | undefined {
  if (host.crossOriginIsolated === false) return "the page is not cross-origin isolated";
  if (typeof SharedArrayBuffer === "undefined") return "no SharedArrayBuffer";
  return undefined;
}

/** The cores that this process may use, of which a container gives some in parts. */
function nodeCores(): number {
  const cores = host.process?.getBuiltinModule?.("os").availableParallelism() ?? 1;
  return Math.max(1, Math.min(cores, Math.floor(quota())));
}

/** How many cores the container pays for; Node 20 does not look. */
function quota(): number {
  try {
    const fs = host.process?.getBuiltinModule?.("fs");
    const [time, period] = fs?.readFileSync("/sys/fs/cgroup/cpu.max", "utf8").split(" ") ?? [];
    const cores = Number(time) / Number(period);
    return cores > 0 ? cores : Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
