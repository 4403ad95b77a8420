import { readFileSync } from "node:fs";
import * as data from "@dino/data";
import * as node from "@dino/data/node";
import { expect, test } from "vitest";

test("exports what it promises", () => {
  expect(Object.keys(data).sort()).toEqual(["DataError", "epochOrder", "viewKey"]);
  expect(Object.keys(node).sort()).toEqual([
    "imageFolder",
    "labeledImages",
    "labeledLoader",
    "loader",
    "readImage",
  ]);
});

test("the main entry reaches nothing of Node", () => {
  const reached = new Set<string>();
  const visit = (url: URL): void => {
    if (reached.has(url.href)) return;
    reached.add(url.href);
    const source = readFileSync(url, "utf8");
    expect(source).not.toMatch(/from "(node:|sharp)|\b(process|Buffer)\b/);
    for (const [, path] of source.matchAll(/from "(\.[^"]+)"/g))
      visit(new URL(path as string, url));
  };
  visit(new URL("../src/index.ts", import.meta.url));
  expect(reached.size).toBeGreaterThan(3);
});
