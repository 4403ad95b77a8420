import { expect, test } from "vitest";
import { inBrowser } from "./page.ts";
import { looked } from "./rooms.ts";

inBrowser("a browser that lacks something", (app) => {
  test("is told what the page needs, in place of the rooms", async () => {
    const { page, complaints } = await app.open("");
    await page.addInitScript(() => Reflect.deleteProperty(globalThis, "OffscreenCanvas"));
    await page.reload();
    const told = await page.getByRole("alert").textContent();
    expect(told?.replace(/\s+/g, " ")).toContain(
      "needs OffscreenCanvas for that, which this one does not have",
    );
    expect(await page.getByRole("navigation").count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test("may look without halves or a place for runs, and says so in the engine's menu and where it would train", async () => {
    const { page, complaints } = await app.open("#look?engine=wasm&precision=f16", {
      serviceWorkers: "block",
    });
    await page.context().route("**/train-worker*.js", async (route) => {
      const response = await route.fetch();
      const lacking = "delete FileSystemFileHandle.prototype.createWritable;";
      await route.fulfill({ response, body: `${lacking}${await response.text()}` });
    });
    await page.waitForSelector(looked);
    await page.getByTestId("engine").click();
    await page.getByText("It computes in 32 bits: 16 are WebGPU’s alone.").waitFor();
    expect(await page.getByRole("radiogroup", { name: "Precision" }).count()).toBe(0);
    await page.getByRole("navigation").getByRole("link", { name: "Train" }).click();
    await page.getByText("expected an origin-private file system to keep it in").waitFor();
    expect(complaints).toEqual(["Service Worker registration blocked by Playwright"]);
  });
});
