import { readFileSync } from "node:fs";
import * as data from "@dino/data";
import * as browser from "@dino/data/browser";
import * as node from "@dino/data/node";
import { expect, test } from "vitest";

test("exports what it promises", () => {
  expect(Object.keys(data).sort()).toEqual(["DataError", "epochOrder", "viewKey"]);
  expect(Object.keys(browser).sort()).toEqual([
    "decodePicture",
    "droppedFiles",
    "folderFiles",
    "heldPictures",
    "imageFiles",
    "labeledImages",
    "loader",
    "namedFiles",
    "pixelsOf",
    "serveCrops",
  ]);
  expect(Object.keys(node).sort()).toEqual([
    "imageFolder",
    "labeledImages",
    "labeledLoader",
    "loader",
    "readImage",
  ]);
});

test.each(["index.ts", "browser.ts"])("%s reaches nothing of Node", (entry) => {
  const reached = new Set<string>();
  const visit = (url: URL): void => {
    if (reached.has(url.href)) return;
    reached.add(url.href);
    const source = readFileSync(url, "utf8");
    expect(source).not.toMatch(/from "(node:|sharp)|\b(process|Buffer)\b/);
    for (const [, path] of source.matchAll(/from "(\.[^"]+)"/g))
      visit(new URL(path as string, url));
  };
  visit(new URL(`../src/${entry}`, import.meta.url));
  expect(reached.size).toBeGreaterThan(2);
});
