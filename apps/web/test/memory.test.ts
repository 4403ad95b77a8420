import { test } from "vitest";
import { eagerMeasuring, trainsInFlatMemory } from "./flat-memory.ts";
import { inBrowser } from "./page.ts";

inBrowser(
  "training for a minute",
  (app) => {
    test("takes no more memory at its end than at its beginning", async () => {
      await trainsInFlatMemory(app, 60_000);
    });
  },
  eagerMeasuring,
);
