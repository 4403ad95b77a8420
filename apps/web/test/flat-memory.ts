import type { Page } from "playwright-core";
import { expect } from "vitest";
import type { App } from "./page.ts";
import { button, reachesStep, stepOf } from "./rooms.ts";

/** Lets a page collect and measure at once, in place of when it next would. */
export const eagerMeasuring = ["--enable-blink-features=ForceEagerMeasureMemory"];

/** What a training page holds, its workers included. */
interface Held {
  readonly step: number;
  readonly tensors: number;
  readonly tensorBytes: number;
  /** All that scripts hold after a collection, and WebAssembly's memory: bytes. */
  readonly bytes: number;
}

interface Measuring {
  measureUserAgentSpecificMemory(): Promise<{ readonly bytes: number }>;
}

async function held(page: Page): Promise<Held> {
  const bytes = await page.evaluate(
    async () =>
      (await (performance as unknown as Measuring).measureUserAgentSpecificMemory()).bytes,
  );
  const data = (name: string) => page.getByTestId("controls").getAttribute(`data-${name}`);
  const [tensors, tensorBytes] = [Number(await data("tensors")), Number(await data("bytes"))];
  return { step: await stepOf(page), tensors, tensorBytes, bytes };
}

/** Trains for some time behind a warm-up, and expects as much to be held at its end as at its beginning. */
export async function trainsInFlatMemory(app: App, milliseconds: number): Promise<void> {
  const { page, complaints } = await app.open("#train?set=patterns&steps=100000&engine=wasm");
  await button(page, "Start").click();
  await reachesStep(page, 40); // the last layer is trained by now
  const before = await held(page);
  await page.waitForTimeout(milliseconds);
  const after = await held(page);
  expect(after.step).toBeGreaterThan(before.step + 20);
  expect(after.tensors).toBe(before.tensors);
  expect(after.tensorBytes).toBe(before.tensorBytes);
  // What is told of every step is kept, and something is always under way.
  const told = 3000 * (after.step - before.step);
  expect(after.bytes).toBeLessThan(before.bytes + told + 2_000_000);
  expect(complaints).toEqual([]);
}
