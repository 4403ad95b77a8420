import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { platformName } from "../src/addon.ts";
import { fileName, packageName, platforms } from "../tools/platforms.mjs";

const root = resolve(import.meta.dirname, "..");
const names = Object.keys(platforms).sort();
const own = manifest(".");

test("every platform has a package that npm installs there alone", () => {
  expect(readdirSync(resolve(root, "npm")).sort()).toEqual(names);
  for (const [name, { os, cpu, libc }] of Object.entries<Record<string, string>>(platforms)) {
    expect(manifest(`npm/${name}`)).toMatchObject({
      name: packageName(name),
      version: own.version,
      main: fileName(name),
      files: [fileName(name)],
      engines: own.engines,
      publishConfig: { os: [os], cpu: [cpu], ...(libc !== undefined && { libc: [libc] }) },
    });
  }
});

test("the package asks for the package of every platform", () => {
  expect(Object.keys(own.optionalDependencies)).toEqual(names.map(packageName));
});

test("the release builds every platform", () => {
  const release = readFileSync(resolve(root, "../../.github/workflows/release.yml"), "utf8");
  const built = [...release.matchAll(/platform: ([\w-]+)/g)].map(([, name]) => name);
  expect(built.sort()).toEqual(names);
});

test("this machine is called by the name of a platform", () => {
  expect(platformName()).toMatch(new RegExp(`^${process.platform}-${process.arch}(-|$)`));
});

function manifest(folder: string) {
  return JSON.parse(readFileSync(resolve(root, folder, "package.json"), "utf8"));
}
