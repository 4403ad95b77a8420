import { BackendError } from "./backend-error.ts";
import type { BackendOptions, Detection, Engine } from "./engine.ts";
import { type Precision, takePrecision } from "./precision.ts";

/** An engine that runs, how, and why none of those before it does. */
export interface Selection {
  readonly engine: Engine;
  readonly precision: Precision;
  /** Why it does not compute in bf16, where the precision was left to it. */
  readonly withoutBf16: string | undefined;
  readonly passedOver: readonly { readonly name: string; readonly reason: string }[];
}

/** Starts the first engine in line that is available, computes as asked, and starts. */
export async function startFirst(
  engines: readonly Engine[],
  { precision: asked = "fp32", ...files }: BackendOptions,
): Promise<Selection> {
  const line = engines.map((engine) => ({ engine, order: engine.order }));
  const passedOver = new Map<string, string>();
  for (;;) {
    const next = line.sort((a, b) => a.order - b.order).shift();
    if (next === undefined) break;
    const { engine } = next;
    const detection = await detect(engine, false);
    const { available, reason, order = engine.order } = detection;
    if (!available || order > next.order) passedOver.set(engine.name, reason ?? "not available");
    if (!available) continue;
    const { precision, reason: withoutBf16 } = takePrecision(detection, asked);
    if (precision === undefined) {
      passedOver.set(engine.name, withoutBf16);
      continue;
    }
    if (order > next.order) {
      line.push({ engine, order });
      continue;
    }
    try {
      await engine.start({ ...files, precision });
    } catch (cause) {
      passedOver.set(engine.name, `does not start: ${firstLine(cause)}`);
      continue;
    }
    passedOver.delete(engine.name);
    const reasons = [...passedOver].map(([name, reason]) => ({ name, reason }));
    return { engine, precision, withoutBf16, passedOver: reasons };
  }
  const reasons = [...passedOver].map(([name, reason]) => `${name} (${reason})`).join(", ");
  const computes = asked === "auto" || asked === "fp32" ? "" : ` and computes in ${asked}`;
  const expected = `an engine that starts${computes}`;
  throw new BackendError(`backend: expected ${expected}, got ${reasons || "none"}`);
}

/** Starts the engine of that name and no other. */
export async function startNamed(
  engines: readonly Engine[],
  name: string,
  { precision: asked = "fp32", ...files }: BackendOptions,
): Promise<Selection> {
  const engine = engines.find((each) => each.name === name);
  if (engine === undefined) {
    const names = engines.map((each) => each.name).join(", ");
    throw new BackendError(`backend: expected one of auto, ${names}, got ${name}`);
  }
  const detection = await detect(engine, true);
  const { available, reason = "not available", install, precisions: own = ["fp32"] } = detection;
  if (!available) {
    const remedy = install === undefined ? "" : `; to install it: ${install}`;
    throw new BackendError(`backend: expected ${name}, got none (${reason})${remedy}`, { install });
  }
  const { precision, reason: withoutBf16 } = takePrecision(detection, asked);
  if (precision === undefined) {
    const expected = [...own, "auto"].join(" or ");
    throw new BackendError(
      `precision: expected ${expected} for ${name}, got ${asked} (${withoutBf16})`,
    );
  }
  try {
    await engine.start({ ...files, precision });
  } catch (cause) {
    const message = `backend: expected ${name} to start, got ${firstLine(cause)}`;
    throw new BackendError(message, { install, cause });
  }
  return { engine, precision, withoutBf16, passedOver: [] };
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
