import "@dino/ops/gradients";
import { repairBackend } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import { type ActiveBackend, currentStart, setStarted } from "./active-backend.ts";
import type { StartOptions } from "./engine.ts";
import { inTurn } from "./in-turn.ts";
import { allEngines, registryVersion } from "./registry.ts";
import { detect, type Selection, startFirst, startNamed } from "./select-engine.ts";

/**
 * Starts a tfjs backend and says in one line which, and why no other: the one call before
 * anything else. Without a name, or with "auto", it takes the first engine that starts here;
 * with a name that one and no other, or throws a BackendError that says what to install.
 *
 * Asking again for what already runs does nothing. Asking for another one switches.
 */
export function startBackend(name = "auto", options: StartOptions = {}): Promise<string> {
  return inTurn(() => startInTurn(name, options));
}

async function startInTurn(asked: string, options: StartOptions): Promise<string> {
  const current = currentStart();
  if (current?.asked === asked && current.registryVersion === registryVersion()) {
    return current.line;
  }
  const engines = allEngines();
  const selection =
    asked === "auto"
      ? await startFirst(engines, options)
      : await startNamed(engines, asked, options);
  const { name } = selection.engine;
  quieten();
  repairBackend(name);
  const { details = "", memoryBytes, warning } = await detect(selection.engine, true);
  const backend: ActiveBackend = {
    name,
    details,
    ...(memoryBytes !== undefined && { memoryBytes }),
    ...(warning !== undefined && { warning }),
  };
  const line = describe(backend, asked, selection);
  setStarted({ backend, asked, line, registryVersion: registryVersion() });
  return line;
}

/** tfjs's JavaScript backend, and whatever derives from it, greets with an advertisement. */
function quieten(): void {
  const backend = tf.backend() as { firstUse?: boolean };
  if (backend.firstUse === true) backend.firstUse = false;
}

function describe(
  { name, details, warning }: ActiveBackend,
  asked: string,
  { passedOver }: Selection,
): string {
  const reasons = passedOver.map(({ name, reason }) => `${name} (${reason})`);
  return [
    `backend: ${name}${details && ` (${details})`}`,
    `asked: ${asked}`,
    ...(reasons.length > 0 ? [`passed over: ${reasons.join(", ")}`] : []),
    ...(warning !== undefined && asked === "auto" ? [`warning: ${warning}`] : []),
  ].join(" · ");
}
