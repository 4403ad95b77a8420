import { expect, test } from "vitest";
import { describeWithAddon, hasAddon } from "../needs-addon.ts";
import { excluded } from "./excluded.ts";
import { runSuite } from "./run-suite.ts";

const specs = hasAddon ? await runSuite() : [];

describeWithAddon("tfjs-core's own suite on native", () => {
  test("runs whole but for what is listed", () => {
    const names = excluded.flatMap((exclusion) => exclusion.names);
    const left = specs.filter(({ ran }) => !ran).map(({ name }) => name);
    expect(specs.length - left.length).toBeGreaterThan(4000);
    expect(left.filter((name) => !names.some((start) => name.startsWith(start)))).toEqual([]);
    expect(names.filter((start) => !left.some((name) => name.startsWith(start)))).toEqual([]);
  });

  for (const { name, ran, failures } of specs) {
    if (!ran) continue;
    test(name, () => {
      if (failures.length > 0) throw new Error(failures.join("\n"));
    });
  }
});
