import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { tiny } from "./dino.ts";
import { expectLossesOf, isMissing, softwareGpu, training, withPhotos } from "./software-gpu.ts";

const { folder, run } = withPhotos("cli-webgpu");

test("a network too large for the device is told of in a line, and standard output stays empty", {
  timeout: 120_000,
}, async () => {
  const size = ["--out-dim", "120000", "--hidden-dim", "24", "--bottleneck-dim", "256"];
  const { code, stdout, stderr } = await run(
    ["bench", "--backend", "webgpu", "--steps", "1", "--json", ...tiny, ...size],
    { DINO_WEBGPU_ADAPTER: "backend=null" }, // which has 512 MB
  );
  expect(stdout).toBe("");
  expect(stderr.trim().split("\n")).toEqual([
    "backend: webgpu (null-backend) · asked: webgpu",
    expect.stringMatching(
      /^dino: WebGPU: out of memory: expected room for \d+ MB in buffers, the last of 123 MB; /,
    ),
  ]);
  expect(code).toBe(1);
});

describe.skipIf(isMissing)("with an adapter", () => {
  test("trains on the adapter that is named, on crops made there", {
    timeout: 240_000,
  }, async () => {
    const length = ["--epochs", "2steps"];
    const onDevice = [...length, "--augment", "device"];
    const onGpu = await run(training("gpu", "webgpu", ...onDevice), softwareGpu);
    expect((await run(training("wasm", "wasm", ...length))).code).toBe(0);
    expect(onGpu.stderr).toContain("backend: webgpu (SwiftShader");
    expect(onGpu.code).toBe(0);
    expect(JSON.parse(onGpu.stdout)).toMatchObject({ steps: 2, backend: "webgpu" });
    expectLossesOf(join(folder, "gpu"), join(folder, "wasm"));
  });

  test("the doctor tells the adapter", async () => {
    const { code, stdout } = await run(["doctor", "--json"], {
      ...softwareGpu,
      DINO_BACKEND: "webgpu",
    });
    expect(code).toBe(0);
    const { line, engines } = JSON.parse(stdout);
    expect(line).toMatch(/^backend: webgpu \(SwiftShader.*\) · asked: webgpu$/);
    expect(engines).toContainEqual(
      expect.objectContaining({
        ...{ name: "webgpu", active: true, available: true, reason: "software adapter" },
        details: expect.stringContaining("SwiftShader"),
      }),
    );
  });

  test("an adapter that is not there is told of by its name", async () => {
    const named = { ...softwareGpu, DINO_WEBGPU_ADAPTER: "Voodoo" };
    const { code, stderr } = await run(training("none", "webgpu"), named);
    expect(stderr.trim()).toContain(
      "dino: backend: expected webgpu, got none (no adapter called Voodoo; there is SwiftShader Device (Subzero))",
    );
    expect(code).toBe(1);
  });
});
