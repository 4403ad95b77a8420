import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { inBrowser } from "./page.ts";
import { chooseFiles, compared, drawn } from "./rooms.ts";

const ready = (page: Page) => page.waitForSelector(compared);
const thumbnails = (page: Page) => page.locator(".thumbnail");
const names = (page: Page) =>
  thumbnails(page).evaluateAll((all) => all.map((each) => each.getAttribute("aria-label") ?? ""));
const countOf = async (page: Page, label: number) =>
  Number(await page.locator(`[data-testid="label-${label}"] .count`).textContent());

/** Flat pictures, some red, some blue, with a square of a lighter tone. */
const picture = (hue: number, i: number) =>
  drawn(`${hue === 0 ? "red" : "blue"}-${i}.png`, {
    ...{ width: 64, height: 64 },
    shapes: `<rect width="64" height="64" fill="hsl(${hue},80%,${40 + i}%)"/><rect x="${8 + i}" y="20" width="20" height="20" fill="hsl(${hue},60%,70%)"/>`,
  });

inBrowser("the third room", (app) => {
  test("finds what is like a picture, and sorts the others after a few", async () => {
    const { page, complaints } = await app.open("#compare?engine=wasm");
    await ready(page);
    const before = await names(page);
    await thumbnails(page).nth(30).click();
    await page.waitForFunction(() =>
      /100 % alike/.test(document.querySelector(".thumbnail")?.getAttribute("aria-label") ?? ""),
    );
    const after = await names(page);
    expect(after[0]).toContain(before[30]);
    const alike = after.map((name) => Number(/(-?\d+) % alike/.exec(name)?.[1]));
    expect(alike).toEqual([...alike].sort((a, b) => b - a));

    // One by drag and drop, one by keyboard.
    await thumbnails(page).first().dragTo(page.getByTestId("label-0"));
    await thumbnails(page).last().focus();
    await page.keyboard.press("2");
    await page.waitForFunction(() =>
      /2 sorted by you/.test(document.querySelector('[data-testid="sorted"]')?.textContent ?? ""),
    );
    const [first, second] = [await countOf(page, 0), await countOf(page, 1)];
    expect(first + second).toBe(375);
    expect(first).toBeGreaterThan(1);
    expect(second).toBeGreaterThan(1);
    await page.locator('[data-testid="label-1"] .count').click();
    expect(await thumbnails(page).count()).toBe(Math.min(second, 110));
    expect(complaints).toEqual([]);
  });

  test("compares a person's own pictures", async () => {
    const { page, complaints } = await app.open("#compare?engine=wasm");
    await ready(page);
    const files = await Promise.all(
      Array.from({ length: 12 }, (_, i) => picture(i % 2 === 0 ? 0 : 220, i)),
    );
    await chooseFiles(page, [
      ...files,
      { name: "broken.png", mimeType: "image/png", buffer: Buffer.from("no") },
    ]);
    await page.waitForFunction(() => document.querySelectorAll(".thumbnail").length === 12);
    await ready(page);
    expect(await page.getByTestId("sorted").textContent()).toContain("1 file could not be read");
    await thumbnails(page).first().focus();
    await page.keyboard.press("1");
    await page.getByRole("button", { name: "Sort as B by clicks" }).click();
    await thumbnails(page).nth(6).click();
    await page.waitForFunction(
      () => document.querySelectorAll('[aria-label*="guessed as"]').length === 10,
    );
    const guesses = (await names(page)).filter((name) => name.includes("guessed"));
    for (const name of guesses) expect(name).toContain(name.startsWith("blue") ? "as A" : "as B");
    expect(complaints).toEqual([]);
  });
});
