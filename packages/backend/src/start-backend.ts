import "@dino/ops/gradients";
import { repairBackend } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import { type ActiveBackend, currentStart, type Started, setStarted } from "./active-backend.ts";
import { BackendError } from "./backend-error.ts";
import type { BackendOptions } from "./engine.ts";
import { inTurn } from "./in-turn.ts";
import { askable } from "./precision.ts";
import { allEngines, registryVersion } from "./registry.ts";
import { detect, type Selection, startFirst, startNamed } from "./select-engine.ts";

/**
 * Starts a tfjs backend and says in one line which, and why no other: the one call before
 * anything else. Without a name, or with "auto", it takes the first engine that starts here;
 * with a name that one and no other, or throws a BackendError that says what to install.
 *
 * Asking again for what already runs does nothing. Asking for another one, or for another
 * precision, switches.
 */
export function startBackend(name = "auto", options: BackendOptions = {}): Promise<string> {
  return inTurn(() => startInTurn(name, options));
}

async function startInTurn(asked: string, options: BackendOptions): Promise<string> {
  const { precision: askedPrecision = "fp32", threads } = options;
  if (!askable.includes(askedPrecision)) {
    const expected = askable.join(", ");
    throw new BackendError(`precision: expected one of ${expected}, got ${askedPrecision}`);
  }
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= 1024)) {
    throw new BackendError(`threads: expected an integer from 1 to 1024, got ${threads}`);
  }
  const current = currentStart();
  const isSame =
    current?.asked === asked &&
    current.askedPrecision === askedPrecision &&
    current.askedThreads === threads;
  if (isSame && current.registryVersion === registryVersion()) return current.line;
  const engines = allEngines();
  const selection =
    asked === "auto"
      ? await startFirst(engines, options)
      : await startNamed(engines, asked, options);
  const { name } = selection.engine;
  quieten();
  repairBackend(name);
  const { details = "", memoryBytes, warning, software } = await detect(selection.engine, true);
  const backend: ActiveBackend = {
    name,
    details,
    precision: selection.precision,
    ...(memoryBytes !== undefined && { memoryBytes }),
    ...(warning !== undefined && { warning }),
    ...(software !== undefined && { software }),
  };
  const line = describe(backend, { asked, askedPrecision }, selection);
  setStarted({
    ...{ backend, asked, askedPrecision, askedThreads: threads, line },
    registryVersion: registryVersion(),
  });
  return line;
}

/** tfjs's JavaScript backend, and whatever derives from it, greets with an advertisement. */
function quieten(): void {
  const backend = tf.backend() as { firstUse?: boolean };
  if (backend.firstUse === true) backend.firstUse = false;
}

function describe(
  { name, details, precision, warning }: ActiveBackend,
  { asked, askedPrecision }: Pick<Started, "asked" | "askedPrecision">,
  { passedOver, withoutBf16 }: Selection,
): string {
  const reasons = passedOver.map(({ name, reason }) => `${name} (${reason})`);
  const features = [details, precision === "fp32" ? "" : precision].filter(Boolean).join(", ");
  const why = withoutBf16 === undefined ? "" : ` (${withoutBf16})`;
  return [
    `backend: ${name}${features && ` (${features})`}`,
    `asked: ${asked}`,
    ...(askedPrecision === "auto" ? [`precision: ${precision}${why}, asked: auto`] : []),
    ...(reasons.length > 0 ? [`passed over: ${reasons.join(", ")}`] : []),
    ...(warning !== undefined && asked === "auto" ? [`warning: ${warning}`] : []),
  ].join(" · ");
}
