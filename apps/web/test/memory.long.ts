import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { inBrowser } from "./page.ts";

const minute = 60_000;

const figure = async (page: Page, name: "bytes" | "step") =>
  Number(await page.getByTestId("controls").getAttribute(`data-${name}`));

/** What the page's own scripts hold after a collection, in bytes. */
async function heapOf(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  await session.detach();
  return usedSize;
}

inBrowser("training for five minutes", (app) => {
  test("takes no more memory at the end than after the first minute", {
    timeout: 8 * minute,
  }, async () => {
    const { page, complaints } = await app.open("#train?set=patterns&steps=100000&engine=wasm");
    await page.getByTestId("controls").getByRole("button", { name: "Start" }).click();
    await page.waitForTimeout(minute);
    const [tensors, heap] = [await figure(page, "bytes"), await heapOf(page)];
    await page.waitForTimeout(4 * minute);
    expect(await figure(page, "bytes")).toBe(tensors);
    // The curves' points, which are thinned out when they are many.
    expect(await heapOf(page)).toBeLessThan(heap + 2_000_000);
    expect(await figure(page, "step")).toBeGreaterThan(100);
    expect(complaints).toEqual([]);
  });
});
