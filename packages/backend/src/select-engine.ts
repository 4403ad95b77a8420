import { BackendError } from "./backend-error.ts";
import type { Detection, Engine, StartOptions } from "./engine.ts";

/** An engine that runs, and why none of those before it does. */
export interface Selection {
  readonly engine: Engine;
  readonly passedOver: readonly { readonly name: string; readonly reason: string }[];
}

/** Starts the first engine in line that is available and starts. */
export async function startFirst(
  engines: readonly Engine[],
  options: StartOptions,
): Promise<Selection> {
  const line = engines.map((engine) => ({ engine, order: engine.order }));
  const passedOver = new Map<string, string>();
  for (;;) {
    const next = line.sort((a, b) => a.order - b.order).shift();
    if (next === undefined) break;
    const { engine } = next;
    const { available, reason, order = engine.order } = await detect(engine, false);
    if (!available || order > next.order) passedOver.set(engine.name, reason ?? "not available");
    if (!available) continue;
    if (order > next.order) {
      line.push({ engine, order });
      continue;
    }
    try {
      await engine.start(options);
    } catch (cause) {
      passedOver.set(engine.name, `does not start: ${firstLine(cause)}`);
      continue;
    }
    passedOver.delete(engine.name);
    return { engine, passedOver: [...passedOver].map(([name, reason]) => ({ name, reason })) };
  }
  const reasons = [...passedOver].map(([name, reason]) => `${name} (${reason})`).join(", ");
  throw new BackendError(`backend: expected an engine that starts, got ${reasons || "none"}`);
}

/** Starts the engine of that name and no other. */
export async function startNamed(
  engines: readonly Engine[],
  name: string,
  options: StartOptions,
): Promise<Selection> {
  const engine = engines.find((each) => each.name === name);
  if (engine === undefined) {
    const names = engines.map((each) => each.name).join(", ");
    throw new BackendError(`backend: expected one of auto, ${names}, got ${name}`);
  }
  const { available, reason = "not available", install } = await detect(engine, true);
  if (!available) {
    const remedy = install === undefined ? "" : `; to install it: ${install}`;
    throw new BackendError(`backend: expected ${name}, got none (${reason})${remedy}`, { install });
  }
  try {
    await engine.start(options);
  } catch (cause) {
    const message = `backend: expected ${name} to start, got ${firstLine(cause)}`;
    throw new BackendError(message, { install, cause });
  }
  return { engine, passedOver: [] };
}

/** What the engine says about itself; one that throws is not available. */
export async function detect(engine: Engine, asked: boolean): Promise<Detection> {
  try {
    return await engine.detect({ asked });
  } catch (error) {
    return { available: false, reason: `does not load: ${firstLine(error)}` };
  }
}

/** The first line of an error's message: tfjs also rejects with plain objects. */
export function firstLine(error: unknown): string {
  const message = (error as { readonly message?: unknown } | null | undefined)?.message;
  return (typeof message === "string" ? message : String(error)).trim().split("\n", 1)[0] as string;
}
