import { expect, test } from "vitest";
import { inBrowser, pixelsOf, softwareGpu } from "./page.ts";
import {
  attention,
  button,
  chooseFiles,
  controls,
  discs,
  enter,
  looked,
  reaches,
} from "./rooms.ts";

inBrowser(
  "every room on WebGPU",
  (app) => {
    test("looks, compares and trains", async () => {
      const { page, complaints } = await app.open("#look?engine=webgpu&detail=64&steps=2&batch=4");
      await page.waitForSelector(looked);
      expect(await page.getByTestId("engine").textContent()).toContain("WebGPU");
      const shown = [await pixelsOf(page, attention)];
      for (const view of ["Heads", "Colours"]) {
        await page.getByText(view, { exact: true }).click();
        shown.push(await pixelsOf(page, attention));
      }
      expect(new Set(shown).size).toBe(3);

      const files = await discs(8);
      await enter(page, "Compare");
      await chooseFiles(page, files);
      await page.waitForFunction(() => document.querySelectorAll(".thumbnail").length === 8);
      await page.locator(".thumbnail").nth(3).click();
      await page.waitForSelector('.thumbnail[aria-label="disc-3.png, 100 % alike"]');

      await enter(page, "Train");
      await page.locator('input[value="own"]').check();
      await chooseFiles(page, files);
      await button(page, "Start").click();
      await reaches(page, "finished");
      expect(await controls(page).getAttribute("data-step")).toBe("2");
      expect(await page.getByTestId("strip").getAttribute("data-columns")).toBe("3");
      expect(complaints).toEqual([]);
    });
  },
  softwareGpu,
);
