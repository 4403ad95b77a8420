import { expect, test } from "vitest";
import { inBrowser, softwareGpu } from "./page.ts";
import { button, chooseFiles, discs, reaches, reachesStep, stepOf } from "./rooms.ts";

inBrowser(
  "a graphics device that is lost",
  (app) => {
    test("is replaced by another, on which the run goes on from what was saved", async () => {
      const { page } = await app.open("#train?engine=webgpu&set=own&steps=40&batch=4");
      await chooseFiles(page, await discs(8));
      await button(page, "Start").click();
      await reachesStep(page, 28); // saved after 25
      const browser = await page.context().browser()?.newBrowserCDPSession();
      const loseDevice = () => browser?.send("Browser.crashGpuProcess");
      await loseDevice();
      await page.getByText("WebGPU was started again").waitFor({ timeout: 300_000 });
      await page.getByText("After the loss").waitFor({ timeout: 300_000 });
      expect(await page.getByRole("status").filter({ visible: true }).textContent()).toContain(
        "the run went on from step 25",
      );
      expect(await stepOf(page)).toBeLessThan(28);
      await reaches(page, "finished");
      expect(await stepOf(page)).toBe(40);
      expect(await page.getByTestId("strip").getAttribute("data-columns")).toBe("11");

      await loseDevice(); // when all is done, and the model not saved yet
      const download = page.waitForEvent("download", { timeout: 300_000 });
      await page.getByRole("button", { name: "Save the model" }).click();
      expect((await download).suggestedFilename()).toBe("dino-tiny-40.safetensors");
    });
  },
  softwareGpu,
);
