import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

test("exports what it promises, and nothing else", () => {
  // Not imported: that needs a `navigator.gpu`, which other tests have from an adapter.
  const source = readFileSync(`${import.meta.dirname}/../src/index.ts`, "utf8");
  const names = [...source.matchAll(/export \{([^}]*)\}/g)].flatMap(([, list]) =>
    (list as string).split(",").map((name) => name.trim()),
  );
  const values = names.filter((name) => name !== "" && !name.startsWith("type "));
  expect(values.sort()).toEqual(["countCalls", "registerWebgpuBackend", "stockBackendName"]);
});
