import { currentStart } from "./active-backend.ts";
import type { Detection } from "./engine.ts";
import { inTurn } from "./in-turn.ts";
import { allEngines } from "./registry.ts";
import { detect } from "./select-engine.ts";

/** Whether an engine would start on this machine, and what it would run on. */
export interface EngineReport extends Omit<Detection, "order"> {
  readonly name: string;
  /** Whether it is the one that runs. */
  readonly active: boolean;
}

/** All engines of this machine, first in line first; those that are there, as if asked for. */
export function describeEngines(): Promise<readonly EngineReport[]> {
  return inTurn(async () => {
    const reports: { readonly order: number; readonly report: EngineReport }[] = [];
    for (const engine of allEngines()) {
      const { order = engine.order, ...detection } = await detect(engine, true);
      const active = currentStart()?.backend.name === engine.name;
      reports.push({ order, report: { name: engine.name, active, ...detection } });
    }
    return reports.sort((a, b) => a.order - b.order).map(({ report }) => report);
  });
}
