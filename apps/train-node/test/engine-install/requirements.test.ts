import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  assertSupported,
  findTools,
  nodeHeaders,
  thisMachine,
} from "../../src/engine-install/requirements.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "dino-requirements-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const linux = { platform: "linux", arch: "x64", glibc: "2.36" };

test("takes a Linux on x64 with glibc", () => {
  expect(() => assertSupported(linux)).not.toThrow();
});

test.each([
  [{ ...linux, platform: "darwin" }, /expected Linux on x64.*got darwin on x64/],
  [{ ...linux, arch: "arm64" }, /got linux on arm64; elsewhere try npm i @tensorflow\/tfjs-node/],
  [{ ...linux, glibc: undefined }, /expected a Linux with glibc/],
])("refuses %j", (machine, expected) => {
  expect(() => assertSupported(machine)).toThrow(expected);
});

test("knows this machine", () => {
  expect(thisMachine()).toMatchObject({ platform: process.platform, arch: process.arch });
});

test("takes the headers beside Node where they are of its version", () => {
  const header = join(folder, "include", "node");
  mkdirSync(header, { recursive: true });
  writeFileSync(join(header, "node_version.h"), "#define NODE_MAJOR_VERSION 22\n");
  const executable = join(folder, "bin", "node");
  expect(nodeHeaders(executable, "v22.1.0")).toBe(folder);
  expect(nodeHeaders(executable, "v24.0.0")).toBeUndefined();
  expect(nodeHeaders(join(folder, "elsewhere", "bin", "node"))).toBeUndefined();
});

test("names the Python that is missing", async () => {
  const python = join(folder, "no-python");
  await expect(findTools(python, process.env)).rejects.toThrow(
    `${python}: expected a Python 3 that runs, got none; install it (apt-get install python3 python3-pip) or name another with --python`,
  );
});
