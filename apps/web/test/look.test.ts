import sharp from "sharp";
import { expect, test } from "vitest";
import { inBrowser, pixelsOf } from "./page.ts";

const attention = '[data-testid="attention"]';
const done = `${attention}[data-state="done"]`;

/** A picture file as a person might choose it: a disc on a plain ground. */
const picture = (width: number, height: number, colour: string) =>
  sharp(
    Buffer.from(
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="#eee"/><circle cx="35%" cy="60%" r="${height / 4}" fill="${colour}"/></svg>`,
    ),
  )
    .png()
    .toBuffer();

inBrowser("the first room", (app) => {
  test("opens with what the built-in model sees in a built-in picture", async () => {
    const { page, complaints } = await app.open("");
    await page.waitForSelector(done);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    expect(await page.getByTestId("engine").textContent()).toMatch(/WebAssembly|WebGPU/);
    expect(complaints).toEqual([]);
  });

  test("looks at another picture, which gives another result", async () => {
    const { page, complaints } = await app.open("");
    await page.waitForSelector(done);
    const before = await pixelsOf(page, attention);
    const buffer = await picture(300, 200, "#c33");
    await page
      .getByTestId("picture-file")
      .setInputFiles({ name: "disc.png", mimeType: "image/png", buffer });
    await page.waitForFunction(
      ([selector, old]) => {
        const canvas = document.querySelector(selector as string) as HTMLCanvasElement;
        return canvas.dataset.state === "done" && canvas.toDataURL() !== old;
      },
      [attention, before],
    );
    const shape = await page.locator(attention).evaluate((canvas) => {
      const { width, height } = canvas as HTMLCanvasElement;
      return width / height;
    });
    expect(shape).toBeCloseTo(1.5, 0.1);
    expect(complaints).toEqual([]);
  });

  test("shows heads, other layers, similar patches and colours, each its own picture", async () => {
    const { page, complaints } = await app.open("");
    await page.waitForSelector(done);
    const shown = [await pixelsOf(page, attention)];
    for (const view of ["Heads", "Similar", "Colours"]) {
      await page.getByText(view, { exact: true }).click();
      shown.push(await pixelsOf(page, attention));
    }
    expect(page.url()).toContain("view=colors");
    await page.getByText("Attention", { exact: true }).click();
    await page.getByRole("radio", { name: "2", exact: true }).check();
    await page.waitForSelector(done);
    shown.push(await pixelsOf(page, attention));
    await page.getByRole("button", { name: "Head 3" }).click();
    shown.push(await pixelsOf(page, attention));
    expect(new Set(shown).size).toBe(shown.length);
    expect(complaints).toEqual([]);
  });

  test("is used with the keyboard alone", async () => {
    const { page } = await app.open("");
    await page.waitForSelector(done);
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
    await page.waitForSelector(done);
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
