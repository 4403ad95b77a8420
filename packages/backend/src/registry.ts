import { engines as ownEngines } from "#engines";
import type { Engine } from "./engine.ts";

const registered = new Map<string, Engine>(ownEngines.map((engine) => [engine.name, engine]));
let changes = 0;

/** Adds an engine to those that can be started, or replaces the one of its name. */
export function registerEngine(engine: Engine): void {
  registered.set(engine.name, engine);
  changes++;
}

/** All engines, first in line first. */
export function allEngines(): readonly Engine[] {
  return [...registered.values()].sort((a, b) => a.order - b.order);
}

/** Grows whenever there is another engine to choose. */
export function registryVersion(): number {
  return changes;
}
