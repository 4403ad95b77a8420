import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  expectLossesOf,
  isMissing,
  linesOf,
  softwareGpu,
  training,
  withPhotos,
} from "./software-gpu.ts";

const { folder, run } = withPhotos("cli-webgpu-loss");

describe.skipIf(isMissing)("with an adapter", () => {
  test("goes on from the last checkpoint when the device is lost", {
    timeout: 600_000,
  }, async () => {
    const length = ["--epochs", "6steps", "--save-every-steps", "3"];
    const onGpu = await run(training("gpu", "webgpu", ...length), {
      ...softwareGpu,
      NODE_OPTIONS: `--import=${new URL("./lose-device.mjs", import.meta.url).href}`,
      LOSE_DEVICE_AT: join(folder, "gpu", "checkpoints", "last.safetensors"),
    });
    expect((await run(training("wasm", "wasm", ...length), {})).code).toBe(0);
    expect(onGpu.stderr).toMatch(/the device was lost after \d steps \(.+\): starting another/);
    expect(onGpu.stderr).toContain("going on from step 3");
    expect(onGpu.code).toBe(0);
    expect(JSON.parse(onGpu.stdout)).toMatchObject({ steps: 6, stepsRun: 3, resumedFrom: 3 });
    const told = linesOf(join(folder, "gpu")).map(({ step, deviceLost }) => [
      step,
      typeof deviceLost,
    ]);
    expect(told).toContainEqual([3, "string"]);
    expectLossesOf(join(folder, "gpu"), join(folder, "wasm"));
  });
});
