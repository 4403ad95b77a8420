import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inBrowser } from "./page.ts";
import { compared, looked } from "./rooms.ts";
import { type StaticHost, staticHost } from "./static-host.ts";

const root = resolve(import.meta.dirname, "..");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Screenshots lie here, to be looked at. */
const screenshots = resolve(root, "screenshots");

/** Each room, and what is there once it is ready. */
const rooms = {
  look: looked,
  train: '[data-testid="controls"]',
  compare: compared,
} as const;

/** What a person with a screen reader or weak eyes would stumble on. */
async function stumblingBlocks(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  );
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

inBrowser("the site", (app) => {
  let host: StaticHost;
  beforeAll(async () => {
    mkdirSync(screenshots, { recursive: true });
    host = await staticHost(resolve(root, "dist"), "/some/folder/");
  });
  afterAll(() => host.close());

  test("works in any folder of any host, and after the first visit without one", {
    timeout: 120_000,
  }, async () => {
    const { page, complaints } = await app.open(host.address);
    await page.waitForSelector(looked);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
    await page.evaluate(async () => (await navigator.serviceWorker.ready).active?.state);
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    await host.close();
    await page.reload();
    await page.waitForSelector(looked);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    expect(complaints).toEqual([]);
  });

  test("has no barrier in any room, in no size and no colours", async () => {
    const { page, complaints } = await app.open("#look?engine=wasm");
    for (const [room, ready] of Object.entries(rooms)) {
      await page.getByRole("navigation").getByRole("link", { name: room }).click();
      await page.waitForSelector(ready);
      for (const width of [1280, 390]) {
        await page.setViewportSize({ width, height: 860 });
        for (const colorScheme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme });
          const file = resolve(screenshots, `${room}-${width}-${colorScheme}.png`);
          await page.screenshot({ path: file, fullPage: true });
          expect(await stumblingBlocks(page)).toEqual([]);
        }
        const beyond = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect(beyond).toBeLessThanOrEqual(0);
      }
    }
    expect(complaints).toEqual([]);
  });
});
