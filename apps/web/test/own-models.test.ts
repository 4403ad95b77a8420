import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { vit } from "@dino/backbones/vit";
import { streamPytorch, streamSafetensors } from "@dino/checkpoint";
import { key, random } from "@dino/random";
import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inBrowser, pixelsOf } from "./page.ts";
import { attention, looked, looksOtherThan } from "./rooms.ts";

let folder = "";
const pth = () => resolve(folder, "dino_small.pth");
const safetensors = () => resolve(folder, "dino.safetensors");

/** Models as other people publish them: one head of 64, no word of the architecture. */
beforeAll(async () => {
  folder = mkdtempSync(resolve(tmpdir(), "dino-web-"));
  await tf.setBackend("cpu");
  const backbone = vit({ embedDim: 64, depth: 2, heads: 1, patchSize: 16, imageSize: 64 });
  const params = backbone.init(random(key(3)));
  const teacher = Object.fromEntries(
    Object.entries(params).map(([name, tensor]) => [
      `module.backbone.${name}`,
      { dtype: "F32" as const, shape: tensor.shape, data: tensor.dataSync<"float32">() },
    ]),
  );
  writeFileSync(pth(), await bytesOf(streamPytorch({ teacher })));
  writeFileSync(safetensors(), await bytesOf(streamSafetensors(params)));
  tf.dispose(params);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function bytesOf(parts: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const part of parts) all.push(part.slice());
  return Buffer.concat(all);
}

/** A server of models that answers ranges, and lets any page read. */
async function serveModels(page: Page): Promise<void> {
  await page.context().route("https://models.test/*", async (route) => {
    const cors = {
      "Access-Control-Allow-Origin": "*",
      "Access-Control-Allow-Headers": "Range",
      "Access-Control-Expose-Headers": "Content-Range, Content-Length, ETag",
    };
    const bytes = readFileSync(pth());
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(route.request().headers().range ?? "") ?? [];
    if (from === undefined || to === undefined) {
      const headers = { ...cors, "Content-Length": String(bytes.length), "Accept-Ranges": "bytes" };
      return route.fulfill({ status: 200, headers, body: "" });
    }
    const [start, end] = [Number(from), Math.min(Number(to) + 1, bytes.length)];
    const headers = { ...cors, "Content-Range": `bytes ${start}-${end - 1}/${bytes.length}` };
    const body = bytes.subarray(start, end);
    return route.fulfill({ status: 206, headers, body });
  });
}

async function openFile(page: Page, file: string): Promise<void> {
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Open a file" }).click();
  await (await chooser).setFiles(file);
}

inBrowser("a model of one's own", (app) => {
  test("opens from a .pth, a safetensors file, an address, and by drag and drop", async () => {
    const { page, complaints } = await app.open("#look?engine=wasm");
    await page.waitForSelector(looked);
    const before = await pixelsOf(page, attention);
    await openFile(page, pth());
    await looksOtherThan(page, before);
    expect(await page.getByText("width 64, 2 layers, 1 head, patches of 16").count()).toBe(1);
    const seen = await pixelsOf(page, attention);

    await page.getByRole("button", { name: "Back to the built-in one" }).click();
    await looksOtherThan(page, seen);
    expect(await pixelsOf(page, attention)).toBe(before);

    // The same weights in the other format see the same.
    await openFile(page, safetensors());
    await looksOtherThan(page, before);
    expect(await pixelsOf(page, attention)).toBe(seen);

    await page.getByRole("button", { name: "Back to the built-in one" }).click();
    await looksOtherThan(page, seen);
    await serveModels(page);
    await page.getByRole("button", { name: "From an address" }).click();
    await page.getByLabel("Address").fill("https://models.test/dino_small.pth");
    await page.getByRole("button", { name: "Open", exact: true }).click();
    await looksOtherThan(page, before);
    expect(await pixelsOf(page, attention)).toBe(seen);

    await page.getByRole("button", { name: "Back to the built-in one" }).click();
    await looksOtherThan(page, seen);
    const transfer = await page.evaluateHandle(
      (bytes) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([new Uint8Array(bytes)], "dropped.safetensors"));
        return transfer;
      },
      [...readFileSync(safetensors())],
    );
    await page.dispatchEvent(attention, "drop", { dataTransfer: transfer });
    await looksOtherThan(page, before);
    expect(await page.getByText("dropped.safetensors").isVisible()).toBe(true);
    expect(await pixelsOf(page, attention)).toBe(seen);
    expect(complaints).toEqual([]);

    const broken = resolve(folder, "broken.pth");
    writeFileSync(broken, "no model");
    await openFile(page, broken);
    await page.waitForSelector(`${attention}[data-state="error"]`);
    expect(await page.getByRole("status").first().textContent()).toContain("broken.pth");
  });
});
