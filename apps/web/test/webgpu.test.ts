import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { inBrowser, pixelsOf, softwareGpu } from "./page.ts";
import { attention, chooseFiles, discs, enter, looked, looksOtherThan } from "./rooms.ts";

/** Put before a worker's script: lets a test take devices away, the one there is or all that come. */
const frailDevices = `{
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (...asked) {
    const device = await requestDevice.apply(this, asked);
    const { createBuffer } = device;
    device.createBuffer = (buffer) => {
      if (self.noneLasts) device.destroy();
      return createBuffer.call(device, buffer);
    };
    self.loseDevice = () => device.destroy();
    return device;
  };
}`;

interface Frail {
  noneLasts: boolean;
  loseDevice(): void;
}

/** Runs a function in the first room's worker. */
function inWorker(page: Page, run: (scope: Frail) => void): Promise<void> {
  const worker = page.workers().find((each) => each.url().includes("look-worker"));
  if (!worker) throw new Error("page: expected the first room's worker, got none");
  return worker.evaluate(`(${run})(self)`);
}

inBrowser(
  "the rooms on WebGPU",
  (app) => {
    test("look, come back when their device is lost, and end up on the processor when none lasts", async () => {
      const { page, complaints } = await app.open("#look?engine=webgpu&detail=64", {
        beforeLookWorker: frailDevices,
      });
      await page.waitForSelector(looked);
      const [engine, loss] = [page.getByTestId("engine"), page.getByTestId("loss")];
      expect(await engine.textContent()).toContain("WebGPU");
      await engine.click();
      const halves = page.getByRole("radio", { name: "16 bits" });
      expect(await halves.isChecked()).toBe(false);
      await page.keyboard.press("Escape");
      const shown = [await pixelsOf(page, attention)];
      for (const view of ["Heads", "Colours", "Attention"]) {
        await page.getByText(view, { exact: true }).click();
        shown.push(await pixelsOf(page, attention));
      }
      expect(new Set(shown).size).toBe(3);

      await inWorker(page, (scope) => scope.loseDevice());
      await page.getByRole("radio", { name: "2", exact: true }).check();
      await looksOtherThan(page, shown[0] as string);
      expect(await loss.textContent()).toContain("WebGPU was started again.");
      await page.getByRole("button", { name: "Close" }).click();
      expect(await loss.textContent()).toBe("");

      await inWorker(page, (scope) => {
        scope.noneLasts = true;
        scope.loseDevice();
      });
      await enter(page, "Compare");
      await chooseFiles(page, await discs(8));
      await page.waitForFunction(() => document.querySelectorAll(".thumbnail").length === 8);
      await page.locator(".thumbnail").nth(3).click();
      await page.waitForSelector('.thumbnail[aria-label="disc-3.png, 100 % alike"]');
      expect(await loss.textContent()).toContain(
        "no other lasted. WebAssembly runs instead, until the page is reloaded.",
      );
      expect(await engine.textContent()).toContain("WebAssembly");
      expect(complaints).toEqual([]);
    });
  },
  softwareGpu,
);
