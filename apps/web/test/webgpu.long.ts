import { expect, test } from "vitest";
import { inBrowser, softwareGpu } from "./page.ts";
import { button, chooseFiles, controls, discs, enter, looked, reaches } from "./rooms.ts";

inBrowser(
  "the other rooms on WebGPU",
  (app) => {
    test("compares and trains, in halves", async () => {
      const { page, complaints } = await app.open("#look?engine=webgpu&detail=64&steps=2&batch=4");
      await page.waitForSelector(looked);
      const engine = page.getByTestId("engine");
      await engine.click();
      await page.getByText("16 bits", { exact: true }).click();
      await page.waitForURL(/precision=f16/);
      await page.waitForSelector(looked);
      await engine.click();
      await page.getByText(/runs: .*, f16\./).waitFor();
      await enter(page, "Compare");
      const files = await discs(8);
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
