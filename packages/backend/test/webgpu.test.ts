import { expect, test } from "vitest";
import { webGpuEngine } from "../src/engines/webgpu.ts";
import { type Adapter, adapterName, isSoftware } from "../src/engines/webgpu-adapter.ts";

const card: Adapter = {
  info: { vendor: "nvidia", architecture: "hopper", device: "0x2330", description: "NVIDIA H100" },
};
const swiftShader: Adapter = {
  info: { vendor: "google", architecture: "swiftshader", description: "SwiftShader Device" },
};

test.each([
  ["a card", card, false, "NVIDIA H100"],
  [
    "a card in Chrome, which tells little",
    { info: { vendor: "apple", architecture: "metal-3" } },
    false,
    "apple metal-3",
  ],
  ["a card that tells nothing", {}, false, "unnamed adapter"],
  ["SwiftShader", swiftShader, true, "SwiftShader Device"],
  [
    "Mesa on a CPU",
    { info: { vendor: "mesa", device: "llvmpipe (LLVM 15.0.6, 256 bits)" } },
    true,
    "llvmpipe (LLVM 15.0.6, 256 bits)",
  ],
  [
    "Windows on a CPU",
    { info: { description: "Microsoft Basic Render Driver" } },
    true,
    "Microsoft Basic Render Driver",
  ],
  ["one that admits to it", { info: { device: "new", isFallbackAdapter: true } }, true, "new"],
  [
    "one that admits to it as older browsers do",
    { info: { device: "old" }, isFallbackAdapter: true },
    true,
    "old",
  ],
])("knows %s", (_, adapter, software, name) => {
  expect(isSoftware(adapter)).toBe(software);
  expect(adapterName(adapter)).toBe(name);
});

const engine = (adapter: Adapter | null, named?: string) =>
  webGpuEngine({ find: async () => ({ requestAdapter: async () => adapter }), named: () => named });

test("takes a card unasked", async () => {
  const detection = { available: true, details: "NVIDIA H100" };
  expect(await engine(card).detect({ asked: false })).toMatchObject(detection);
});

test("computes in f16 too, and says why not in bf16; tfjs's own kernels in float32 alone", async () => {
  expect(await engine(card).detect({ asked: true })).toEqual({
    available: true,
    details: "NVIDIA H100",
    precisions: ["fp32", "f16"],
    withoutBf16: "WebGPU's 16 bits are f16",
  });
  const stock = webGpuEngine({
    find: async () => ({ requestAdapter: async () => card }),
    stock: true,
  });
  const { precisions } = await stock.detect({ asked: true });
  expect(precisions).toBeUndefined();
});

test("takes a software adapter only when it is asked for", async () => {
  const unasked = await engine(swiftShader).detect({ asked: false });
  expect(unasked).toMatchObject({ available: false, reason: "software adapter" });
  expect(await engine(swiftShader).detect({ asked: true })).toMatchObject({ available: true });
  expect(await engine(swiftShader, "Swift").detect({ asked: false })).toMatchObject({
    available: true,
  });
});

test("says where there is no adapter, or no WebGPU", async () => {
  expect(await engine(null).detect({ asked: true })).toEqual({
    available: false,
    reason: "no adapter",
  });
  const dawn = () =>
    Promise.reject(new Error("no suitable backends found\n * backend: 'vulkan', name: 'Arc A770'"));
  const misnamed = webGpuEngine({
    find: async () => ({ requestAdapter: dawn }),
    named: () => "Voodoo",
  });
  expect(await misnamed.detect({ asked: true })).toEqual({
    available: false,
    reason: "no adapter called Voodoo; there is Arc A770",
  });
  const missing = { available: false, reason: "not in this browser" };
  const nowhere = webGpuEngine({ find: async () => missing });
  expect(await nowhere.detect({ asked: true })).toEqual(missing);
});
