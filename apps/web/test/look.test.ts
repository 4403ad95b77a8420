import { expect, test } from "vitest";
import { inBrowser, pixelsOf } from "./page.ts";
import { attention, drawn, looked, looksOtherThan } from "./rooms.ts";

const wideDisc = () =>
  drawn("disc.png", {
    ...{ width: 300, height: 200 },
    shapes:
      '<rect width="300" height="200" fill="#eee"/><circle cx="105" cy="120" r="50" fill="#c33"/>',
  });

inBrowser("the first room", (app) => {
  test("opens with what the built-in model sees in a built-in picture", async () => {
    const { page, complaints } = await app.open("");
    await page.waitForSelector(looked);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    expect(await page.getByTestId("engine").textContent()).toMatch(/WebAssembly|WebGPU/);
    expect(complaints).toEqual([]);
  });

  test("looks at another picture, which gives another result", async () => {
    const { page, complaints } = await app.open("");
    await page.waitForSelector(looked);
    const before = await pixelsOf(page, attention);
    await page.getByTestId("picture-file").setInputFiles(await wideDisc());
    await looksOtherThan(page, before);
    const shape = await page.locator(attention).evaluate((canvas) => {
      const { width, height } = canvas as HTMLCanvasElement;
      return width / height;
    });
    expect(shape).toBeCloseTo(1.5, 0.1);
    expect(complaints).toEqual([]);
  });

  test("shows heads, other layers, similar patches and colours, each its own picture", async () => {
    const { page, complaints } = await app.open("");
    await page.waitForSelector(looked);
    const shown = [await pixelsOf(page, attention)];
    for (const view of ["Heads", "Similar", "Colours"]) {
      await page.getByText(view, { exact: true }).click();
      shown.push(await pixelsOf(page, attention));
    }
    expect(page.url()).toContain("view=colors");
    await page.getByText("Attention", { exact: true }).click();
    await page.getByRole("radio", { name: "2", exact: true }).check();
    await page.waitForSelector(looked);
    shown.push(await pixelsOf(page, attention));
    await page.getByRole("button", { name: "Head 3" }).click();
    shown.push(await pixelsOf(page, attention));
    expect(new Set(shown).size).toBe(shown.length);
    expect(complaints).toEqual([]);
  });

  test("is used with the keyboard alone", async () => {
    const { page } = await app.open("");
    await page.waitForSelector(looked);
    const before = await pixelsOf(page, attention);
    await page.locator("button.picture").focus();
    await page.keyboard.press("ArrowLeft");
    expect(page.url()).toContain("view=similarity");
    const once = await pixelsOf(page, attention);
    await page.keyboard.press("ArrowDown");
    expect(new Set([before, once, await pixelsOf(page, attention)]).size).toBe(3);
  });

  test("says what is wrong with a file that is no picture", async () => {
    const { page } = await app.open("");
    await page.waitForSelector(looked);
    const buffer = Buffer.from("no picture");
    await page
      .getByTestId("picture-file")
      .setInputFiles({ name: "a.png", mimeType: "image/png", buffer });
    await page.waitForSelector(`${attention}[data-state="error"]`);
    expect(await page.getByRole("status").textContent()).toContain(
      "no picture that this browser reads",
    );
  });
});
