import { expect, test } from "vitest";
import { inBrowser, pixelsOf, softwareGpu } from "./page.ts";
import { attention, looked } from "./rooms.ts";

inBrowser(
  "the first room on WebGPU",
  (app) => {
    test("looks, in every way", async () => {
      const { page, complaints } = await app.open("#look?engine=webgpu&detail=64");
      await page.waitForSelector(looked);
      expect(await page.getByTestId("engine").textContent()).toContain("WebGPU");
      const shown = [await pixelsOf(page, attention)];
      for (const view of ["Heads", "Colours"]) {
        await page.getByText(view, { exact: true }).click();
        shown.push(await pixelsOf(page, attention));
      }
      expect(new Set(shown).size).toBe(3);
      expect(complaints).toEqual([]);
    });
  },
  softwareGpu,
);
