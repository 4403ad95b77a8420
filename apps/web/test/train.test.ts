import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { inBrowser, longestTask } from "./page.ts";
import { button, controls, reaches, reachesStep, stepOf } from "./rooms.ts";

/** The percentages that the page shows beside its first chart, by name. */
async function figures(page: Page): Promise<Record<string, number>> {
  const items = await page.locator("figure").first().getByRole("listitem").allTextContents();
  return Object.fromEntries(
    items.map((text) => {
      const [, name = "", value] = /^(.*?)([\d.]+) %$/.exec(text.replace(/\s+/g, " ").trim()) ?? [];
      return [name.trim(), Number(value)];
    }),
  );
}

/** What tensors take up, as the worker tells it after a step. */
const bytesOf = async (page: Page) => Number(await controls(page).getAttribute("data-bytes"));

/** Waits for the first judgement, that of the untrained network. */
const judged = (page: Page, columns: number) =>
  page.waitForFunction(
    (least) =>
      Number(document.querySelector<HTMLElement>('[data-testid="strip"]')?.dataset.columns) >=
      least,
    columns,
    { timeout: 300_000 },
  );

inBrowser("the second room", (app) => {
  test("learns from pictures without labels, is paused and reloaded, and sends nothing away", async () => {
    const { page, complaints, requests } = await app.open(
      "#train?set=patterns&steps=120&seed=1&engine=wasm",
    );
    await button(page, "Start").click();
    await judged(page, 1);
    // The built page is isolated, and its content security policy lets threads start.
    await page.getByTestId("engine").click();
    expect(await page.getByText(/ runs: own kernels/).textContent()).toMatch(
      /SIMD, (1 thread: one core|\d+ threads)\./,
    );
    await page.keyboard.press("Escape");
    const before = await figures(page);

    const longest = await longestTask(page, () => reachesStep(page, 20));
    expect(longest).toBeLessThan(50);

    await button(page, "Pause").click();
    await reaches(page, "paused");
    const paused = await stepOf(page);
    expect(paused).toBeGreaterThanOrEqual(20);
    await page.reload();
    await reaches(page, "paused");
    await expect.poll(() => page.getByLabel("Seed").inputValue()).toBe("1");
    await button(page, "Resume").click();
    await reachesStep(page, Math.max(paused + 1, 40)); // the last layer is trained by now
    const held = await bytesOf(page);
    await reaches(page, "finished");
    expect(await bytesOf(page)).toBe(held);
    expect(await stepOf(page)).toBe(120);
    expect(await page.getByTestId("strip").getAttribute("data-columns")).toBe("11");
    const after = await figures(page);
    expect(after["finds another view"]).toBeGreaterThan((before["finds another view"] ?? 100) + 2);

    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save the model" }).click();
    expect((await saved).suggestedFilename()).toBe("dino-tiny-120.safetensors");
    await page.getByRole("button", { name: "Look with this model" }).click();
    await page.waitForSelector('[data-testid="attention"][data-state="done"]');
    expect(await page.getByText("Trained here, 120 steps").isVisible()).toBe(true);

    expect(complaints).toEqual([]);
    const own = new URL(app.address).origin;
    for (const { method, url, body } of requests) {
      expect(method).toBe("GET");
      expect(body).toBeNull();
      expect(url.startsWith("blob:") || new URL(url).origin === own).toBe(true);
      expect(url.length).toBeLessThan(300);
    }
  });
});
