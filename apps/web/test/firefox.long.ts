import { resolve } from "node:path";
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { type PreviewServer, preview } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compared, looked } from "./rooms.ts";
import { staticHost } from "./static-host.ts";

/** A stock Firefox, which is driven over WebDriver BiDi; without it there is nothing to test here. */
const executablePath = process.env.DINO_FIREFOX;

const root = resolve(import.meta.dirname, "..");
const photo = resolve(root, "../../packages/testing/corpus/images/rgb.jpg");
const patience = 120_000;

describe.skipIf(executablePath === undefined)("the page in Firefox", { timeout: 600_000 }, () => {
  let browser: Browser;
  let server: PreviewServer;
  beforeAll(async () => {
    server = await preview({ root, logLevel: "error" });
    browser = await puppeteer.launch({
      ...{ browser: "firefox", executablePath: executablePath as string, timeout: patience },
      protocolTimeout: 2 * patience, // an answer waits while a slow machine computes
    });
  }, 2 * patience);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  async function open(
    hash: string,
    host = server.resolvedUrls?.local[0],
  ): Promise<{ page: Page; complaints: readonly string[] }> {
    const page = await browser.newPage();
    page.setDefaultTimeout(patience);
    const complaints: string[] = [];
    page.on("console", (message) => {
      if (["error", "warn"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(new URL(hash, host).href);
    return { page, complaints };
  }

  test("looks at the built-in picture, and at a file, on threads of wasm", async () => {
    const { page, complaints } = await open("#look");
    await page.waitForSelector(looked);
    await page.click('[data-testid="engine"]');
    const told = await page.$eval(".sheet", ({ textContent }) => textContent);
    expect(told).toMatch(/WebAssembly runs: own kernels in (relaxed )?SIMD, \d+ threads/);
    const shown = () =>
      page.$eval('[data-testid="attention"]', (canvas) =>
        (canvas as HTMLCanvasElement).toDataURL(),
      );
    const before = await shown();
    const input = await page.$('input[data-testid="picture-file"]');
    await (input as NonNullable<typeof input>).uploadFile(photo);
    await page.waitForFunction(
      (old) => {
        const canvas = document.querySelector<HTMLCanvasElement>('[data-testid="attention"]');
        return canvas?.dataset.state === "done" && canvas.toDataURL() !== old;
      },
      {},
      before,
    );
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("trains, and keeps the run over a reload", async () => {
    const { page, complaints } = await open("#train?set=patterns&steps=40&batch=8&seed=1");
    const press = (name: string) =>
      page.locator(`[data-testid="controls"] ::-p-text(${name})`).click();
    const reaches = (phase: string) => page.waitForSelector(`[data-phase="${phase}"]`);
    const step = () =>
      page.$eval("[data-phase]", (controls) => Number((controls as HTMLElement).dataset.step));
    await press("Start");
    await page.waitForFunction(
      () => Number(document.querySelector<HTMLElement>("[data-phase]")?.dataset.step) >= 5,
    );
    await press("Pause");
    await reaches("paused");
    const paused = await step();
    expect(paused).toBeGreaterThanOrEqual(5);
    await page.reload();
    await reaches("paused");
    await press("Resume");
    await reaches("finished");
    expect(await step()).toBe(40);
    expect(
      await page.$eval('[data-testid="strip"]', (strip) => (strip as HTMLElement).dataset.columns),
    ).toBe("11");
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("compares, and sorts by two examples", async () => {
    const { page, complaints } = await open("#compare");
    await page.waitForSelector(compared);
    for (const [place, key] of ["1", "2"].entries()) {
      const thumbnails = await page.$$(".thumbnail");
      await thumbnails[20 * place]?.focus();
      await page.keyboard.press(key as "1" | "2");
    }
    await page.waitForFunction(() =>
      /2 sorted by you, 373 follow/.test(
        document.querySelector('[data-testid="sorted"]')?.textContent ?? "",
      ),
    );
    await (await page.$$(".thumbnail"))[7]?.click();
    await page.waitForFunction(() =>
      /100 % alike/.test(document.querySelector(".thumbnail")?.getAttribute("aria-label") ?? ""),
    );
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("gets threads at the second visit to a host without headers, and works without that host", async () => {
    const host = await staticHost(resolve(root, "dist"), "/some/folder/");
    try {
      const { page, complaints } = await open("#look", host.address);
      await page.waitForSelector(looked);
      const told = async () => {
        await page.click('[data-testid="engine"]');
        return page.$eval(".sheet", ({ textContent }) => textContent);
      };
      expect(await told()).toContain("Reload the page once, and it may use more than one thread.");
      await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
      await page.reload();
      await page.waitForSelector(looked);
      expect(await told()).toMatch(/, \d+ threads/);
      await host.close();
      await page.reload();
      await page.waitForSelector(looked);
      expect(complaints).toEqual([]);
      await page.close();
    } finally {
      await host.close();
    }
  });
});
