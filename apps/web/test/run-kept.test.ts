import { readFileSync } from "node:fs";
import { vit } from "@dino/backbones/vit";
import { openCheckpoint } from "@dino/checkpoint";
import type { Page } from "playwright-core";
import sharp from "sharp";
import { expect, test } from "vitest";
import { inBrowser } from "./page.ts";
import { button, controls, reaches, reachesStep, stepOf } from "./rooms.ts";

/** The bytes that a button of this name saves. */
async function saved(page: Page, name: string): Promise<Uint8Array> {
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name, exact: true }).click();
  return readFileSync(await (await download).path());
}

inBrowser("a run that is kept", (app) => {
  test("goes on by itself where the page is reloaded in the middle, in one tab at a time", async () => {
    const { page, complaints } = await app.open(
      "#train?set=patterns&steps=100000&batch=4&seed=7&engine=wasm",
    );
    await button(page, "Start").click();
    await reachesStep(page, 26); // saved after 25
    await page.reload();
    await reaches(page, "running");
    await page.getByTestId("strip").waitFor();
    expect(await page.getByLabel("Seed").inputValue()).toBe("7");
    expect(await stepOf(page)).toBeGreaterThanOrEqual(25);
    await reachesStep(page, 30);

    const other = await page.context().newPage();
    await other.goto(page.url());
    await reaches(other, "paused");
    await button(other, "Resume").click();
    await reaches(other, "failed");
    expect(await other.getByRole("status").filter({ visible: true }).textContent()).toContain(
      "another tab of this page is training",
    );
    await other.close();

    await button(page, "Pause").click();
    await reaches(page, "paused");
    await button(page, "Stop").click();
    await reaches(page, "idle");
    await page.reload();
    await page.waitForTimeout(500);
    expect(await controls(page).getAttribute("data-phase")).toBe("idle");
    expect(complaints).toEqual([]);
  });

  test("gives its model, figures and pictures as files", async () => {
    const { page, complaints } = await app.open(
      "#train?set=patterns&steps=4&batch=4&seed=3&engine=wasm",
    );
    await button(page, "Start").click();
    await reaches(page, "finished");

    const checkpoint = await openCheckpoint(await saved(page, "Save the model"));
    const architecture = JSON.parse(checkpoint.metadata.architecture ?? "");
    const { parameterShapes } = vit(architecture);
    const shapes = [...checkpoint.tensors].map(([name, { shape }]) => [name, shape]);
    expect(Object.fromEntries(shapes)).toEqual(parameterShapes);
    expect(JSON.parse(checkpoint.metadata.training ?? "")).toMatchObject({
      ...{ set: "patterns", model: "tiny", steps: 4, batch: 4, seed: 3, step: 4 },
    });

    const lines = Buffer.from(await saved(page, "Save the figures"))
      .toString()
      .trim()
      .split("\n");
    const events = lines.map((line) => JSON.parse(line) as { type: string; step: number });
    const steps = events.filter(({ type }) => type === "step").map(({ step }) => step);
    expect(steps).toEqual([1, 2, 3, 4]);

    const { width, height } = await sharp(await saved(page, "Save the pictures")).metadata();
    expect([width, height]).toEqual([596, 596]); // six pictures, looked at before and after each step

    // On a phone the strip is wider than its place, and scrolls by the keyboard too.
    const strip = page.getByTestId("strip");
    await page.setViewportSize({ width: 390, height: 860 });
    await strip.evaluate((element) => element.focus());
    expect(await strip.evaluate((element) => document.activeElement === element)).toBe(true);
    expect(complaints).toEqual([]);
  });

  test("is begun, paused and gone on with by the keyboard alone", async () => {
    const { page, complaints } = await app.open(
      "#train?set=patterns&steps=100000&batch=4&engine=wasm",
    );
    await reaches(page, "idle");
    const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim() ?? "");
    const tabTo = async (name: string) => {
      for (let presses = 0; presses < 40 && (await focused()) !== name; presses++) {
        await page.keyboard.press("Tab");
      }
      expect(await focused()).toBe(name);
    };
    await tabTo("Compare");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Compare pictures" }).waitFor();
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Enter");
    await tabTo("Start");
    await page.keyboard.press("Enter");
    await reachesStep(page, 2);
    await tabTo("Pause");
    await page.keyboard.press("Space");
    await reaches(page, "paused");
    await tabTo("Resume");
    await page.keyboard.press("Enter");
    await reaches(page, "running");
    expect(complaints).toEqual([]);
  });
});
