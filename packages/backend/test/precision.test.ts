import { BackendError, type Detection, startBackend } from "@dino/backend";
import { expect, test } from "vitest";
import { startFirst, startNamed } from "../src/select-engine.ts";

/** An engine that notes the precision of each start. */
function engine(name: string, order: number, detection: Partial<Detection> = {}) {
  const starts: unknown[] = [];
  return {
    name,
    order,
    starts,
    detect: async () => ({ available: true, ...detection }),
    start: async ({ precision }: { readonly precision?: unknown }) => void starts.push(precision),
  };
}

const both = { precisions: ["fp32", "bf16"] } as const;
const old = { withoutBf16: "the processor lacks it" };

test("takes the first engine that computes as asked, and says why not the others", async () => {
  const [slow, fast] = [engine("slow", 1, old), engine("fast", 2, both)];
  const selection = await startFirst([slow, fast, engine("last", 3)], { precision: "bf16" });
  expect(selection).toMatchObject({
    engine: fast,
    precision: "bf16",
    passedOver: [{ name: "slow", reason: "no bf16: the processor lacks it" }],
  });
  expect([slow.starts, fast.starts]).toEqual([[], ["bf16"]]);
});

test("passes over no engine for its precision where that is left to it", async () => {
  const [first, second] = [engine("first", 1), engine("second", 2, both)];
  const selection = await startFirst([first, second], { precision: "auto" });
  expect(selection).toMatchObject({ engine: first, precision: "fp32", withoutBf16: "no bf16" });
  expect(await startNamed([second], "second", { precision: "auto" })).toMatchObject({
    precision: "bf16",
    withoutBf16: undefined,
  });
  expect([first.starts, second.starts]).toEqual([["fp32"], ["bf16"]]);
});

test("refuses a precision that no engine has", async () => {
  await expect(
    startFirst([engine("one", 1), engine("two", 2, old)], { precision: "bf16" }),
  ).rejects.toThrow(
    "backend: expected an engine that starts and computes in bf16, got one (no bf16), two (no bf16: the processor lacks it)",
  );
});

test("refuses a precision that the engine asked for has not, and starts nothing", async () => {
  const only = engine("only", 1, old);
  const start = startNamed([only], "only", { precision: "bf16" });
  await expect(start).rejects.toThrow(BackendError);
  await expect(start).rejects.toThrow(
    "precision: expected fp32 or auto for only, got bf16 (no bf16: the processor lacks it)",
  );
  expect(only.starts).toEqual([]);
});

test("takes f16 where it is asked for by name, and leaves it alone where it is not", async () => {
  const gpu = engine("gpu", 1, { precisions: ["fp32", "f16"], withoutBf16: "16 bits are f16" });
  expect(await startNamed([gpu], "gpu", { precision: "f16" })).toMatchObject({ precision: "f16" });
  expect(await startNamed([gpu], "gpu", { precision: "auto" })).toMatchObject({
    precision: "fp32",
    withoutBf16: "no bf16: 16 bits are f16",
  });
  expect(gpu.starts).toEqual(["f16", "fp32"]);
  await expect(startNamed([gpu], "gpu", { precision: "bf16" })).rejects.toThrow(
    "precision: expected fp32 or f16 or auto for gpu, got bf16 (no bf16: 16 bits are f16)",
  );
  await expect(
    startNamed([engine("other", 1, old)], "other", { precision: "f16" }),
  ).rejects.toThrow("precision: expected fp32 or auto for other, got f16 (no f16)");
});

test("refuses what is no precision", async () => {
  await expect(startBackend("cpu", { precision: "half" as "bf16" })).rejects.toThrow(
    "precision: expected one of fp32, bf16, f16, auto, got half",
  );
});
