import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inBrowser, pixelsOf } from "./page.ts";
import {
  attention,
  button,
  chooseFiles,
  compared,
  discs,
  drawn,
  enter,
  looked,
  looksOtherThan,
  reaches,
} from "./rooms.ts";

/** Two classes of four pictures, and what is no picture. */
let folder = "";
beforeAll(async () => {
  folder = mkdtempSync(resolve(tmpdir(), "dino-pictures-"));
  for (const [i, { name, buffer }] of (await discs(8)).entries()) {
    const place = resolve(folder, i % 2 === 0 ? "even" : "odd");
    mkdirSync(place, { recursive: true });
    writeFileSync(resolve(place, name), buffer);
  }
  writeFileSync(resolve(folder, "notes.txt"), "no picture");
  writeFileSync(resolve(folder, "even/broken.png"), "no picture either");
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Drops files or folders of the machine on a place, as the system's file manager does. */
async function drop(page: Page, selector: string, files: readonly string[]): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const box = await page.locator(selector).first().boundingBox();
  if (!box) throw new Error(`${selector}: expected a place on the page, got none`);
  const at = { x: box.x + box.width / 2, y: box.y + Math.min(box.height / 2, 100) };
  const data = { items: [], files: [...files], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const) {
    await session.send("Input.dispatchDragEvent", { type, ...at, data });
  }
  await session.detach();
}

const opensTrain = async (page: Page) => {
  await page.waitForSelector('[data-testid="controls"]');
  await page.locator('input[value="own"]').check();
};

inBrowser("pictures of one's own", (app) => {
  test("a folder is trained on, its folders are classes, and what is no picture is left out", async () => {
    const { page, complaints } = await app.open("#train?engine=wasm&steps=2&batch=4");
    await opensTrain(page);
    const chooser = page.waitForEvent("filechooser");
    await page.getByRole("button", { name: "Folder" }).click();
    await (await chooser).setFiles(folder);
    await button(page, "Start").click();
    await reaches(page, "finished");
    expect(await page.getByText("1 file could not be read").isVisible()).toBe(true);
    // There are classes, so nearest neighbours are asked.
    expect(await page.locator("figure").first().textContent()).toContain("nearest neighbours");
    expect(complaints).toEqual([]);
  });

  test("a folder is dropped, and trained on after a reload too", async () => {
    const { page, complaints } = await app.open("#train?engine=wasm&steps=100000&batch=4");
    await page.waitForSelector('[data-testid="controls"]');
    await drop(page, ".train", [folder]);
    await page.getByText("10 files.").waitFor();
    expect(page.url()).toContain("set=own");
    await button(page, "Start").click();
    await reaches(page, "running");
    await button(page, "Pause").click();
    await reaches(page, "paused");
    await page.reload();
    await reaches(page, "paused");
    await button(page, "Resume").click();
    await reaches(page, "running");
    await page.waitForSelector('[data-testid="strip"] canvas');
    expect(complaints).toEqual([]);
  });

  test("the camera gives pictures to look at, to train on and to compare", async () => {
    const { page, complaints } = await app.open("#look?engine=wasm&steps=2&batch=2");
    await page.waitForSelector(looked);
    const before = await pixelsOf(page, attention);
    await page.getByRole("button", { name: "Use the camera" }).click();
    await looksOtherThan(page, before);
    const seen = await pixelsOf(page, attention);
    await looksOtherThan(page, seen); // frame after frame
    await page.getByRole("button", { name: "Stop the camera" }).click();

    await enter(page, "Train");
    await opensTrain(page);
    await page.getByRole("button", { name: "Camera" }).click();
    for (const count of [1, 2, 3]) {
      await page.getByRole("button", { name: "Take a picture" }).click();
      await page.getByText(count === 1 ? "1 file." : `${count} files.`).waitFor();
    }
    await button(page, "Start").click();
    await reaches(page, "finished");
    expect(complaints).toEqual([]);
  });

  test("a picture is dropped, and another pasted, into the first room", async () => {
    const { page, complaints } = await app.open("#look?engine=wasm");
    await page.waitForSelector(looked);
    const before = await pixelsOf(page, attention);
    await drop(page, attention, [resolve(folder, "odd/disc-1.png")]);
    await looksOtherThan(page, before);
    const seen = await pixelsOf(page, attention);
    const square = await drawn("square.png", {
      ...{ width: 64, height: 64 },
      shapes:
        '<rect width="64" height="64" fill="#fff"/><rect x="8" y="9" width="30" height="20" fill="#05a"/>',
    });
    await page.evaluate(
      (bytes) => {
        const clipboardData = new DataTransfer();
        const file = new File([new Uint8Array(bytes)], "pasted.png", { type: "image/png" });
        clipboardData.items.add(file);
        dispatchEvent(new ClipboardEvent("paste", { clipboardData }));
      },
      [...square.buffer],
    );
    await looksOtherThan(page, seen);
    expect(complaints).toEqual([]);
  });

  test("what is chosen takes the place of what was still being compared", async () => {
    const { page, complaints } = await app.open("#compare?engine=wasm");
    await chooseFiles(page, await discs(5));
    await page.waitForSelector(compared);
    expect(await page.locator(".thumbnail").count()).toBe(5);
    expect(await page.getByText("5 of your own").isVisible()).toBe(true);
    expect(complaints).toEqual([]);
  });
});
