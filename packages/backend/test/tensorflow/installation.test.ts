import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  addonPath,
  gpuLinks,
  links,
  packagePath,
  tensorflowInstallation,
} from "../../src/engines/node/tensorflow/installation.ts";

let folder = "";
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "dino-installation-")), "tensorflow");
});
afterEach(() => rmSync(dirname(folder), { recursive: true }));

const library = "python/tensorflow/libtensorflow_cc.so.2";
const framework = "python/tensorflow/libtensorflow_framework.so.2";
const addon = join(packagePath, addonPath());

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

/** Makes what an installation consists of, with one word in each library. */
function install(changes: object = {}): void {
  for (const path of [library, framework, addon]) write(path, "binary");
  write(join(packagePath, "package.json"), "{}");
  for (const [link, target] of Object.entries(links)) {
    mkdirSync(dirname(join(folder, packagePath, link)), { recursive: true });
    symlinkSync(join(folder, target), join(folder, packagePath, link));
  }
  const manifest = {
    ...{ format: 1, tensorflow: "2.21.0", tfjsNode: "4.22.0", gpu: false, node: "v20.20.2" },
    platform: `${process.platform}-${process.arch}`,
    wheels: { "tensorflow-cpu": "2.21.0" },
    libraries: { [library]: 6, [framework]: 6, [addon]: 6 },
    ...changes,
  };
  write("installation.json", JSON.stringify(manifest));
}

function reason(): string | undefined {
  const installation = tensorflowInstallation(folder);
  return installation.state === "broken" ? installation.reason : installation.state;
}

test("is absent where there is no folder", () => {
  expect(tensorflowInstallation(folder)).toEqual({ folder, state: "absent" });
});

test("is ready where all is there", () => {
  install();
  const installation = tensorflowInstallation(folder);
  expect(installation).toMatchObject({ folder, state: "ready", manifest: { gpu: false } });
});

test.each([
  ["the manifest", "installation.json", "installation.json is missing"],
  ["the libraries", "python", "the folder python is missing"],
  ["a library", framework, `${framework} is missing`],
  ["the package", join(packagePath, "package.json"), `${packagePath} is missing`],
  ["the addon", addon, `${addon} is missing`],
  [
    "a link",
    join(packagePath, "deps/lib/libtensorflow_cc.so.2"),
    "the link deps/lib/libtensorflow_cc.so.2 is missing",
  ],
])("names what is missing: %s", (_, path, expected) => {
  install();
  rmSync(join(folder, path), { recursive: true });
  expect(reason()).toBe(expected);
});

test("names a library that was cut short", () => {
  install();
  write(library, "bin");
  expect(reason()).toBe(`${library}: expected 6 bytes, got 3`);
});

test("names a link that leads nowhere", () => {
  install({ gpu: true });
  for (const link of Object.keys(gpuLinks)) {
    symlinkSync(join(folder, "python/nvidia"), join(folder, packagePath, link));
  }
  expect(reason()).toBe("the link deps/nvidia leads nowhere");
});

test("names the Node that there is no addon for", () => {
  install({ libraries: {} });
  rmSync(join(folder, addon));
  expect(reason()).toBe(`the addon ${addonPath()} for Node ${process.version} is missing`);
});

test.each([
  [{ platform: "darwin-arm64" }, /^made for darwin-arm64, not /],
  [{ format: 2 }, /^installation.json: expected format 1, got 2$/],
  [{ libraries: undefined }, /^installation.json names no libraries$/],
])("refuses what is not for here: %j", (changes, expected) => {
  install(changes);
  expect(reason()).toMatch(expected);
});

test("refuses a manifest that is not JSON", () => {
  install();
  write("installation.json", "{");
  expect(reason()).toBe("installation.json is not JSON");
});

test("takes the newest addon that tfjs-node and this Node know", () => {
  expect(addonPath(7)).toBe("lib/napi-v7/tfjs_binding.node");
  expect(addonPath(8)).toBe("lib/napi-v8/tfjs_binding.node");
  expect(addonPath(10)).toBe("lib/napi-v8/tfjs_binding.node");
});
