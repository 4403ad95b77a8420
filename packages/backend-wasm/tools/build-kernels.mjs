// Compiles the kernels twice, without and with relaxed SIMD, into modules of text, which Node and
// every bundler load without looking for a file.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const variants = { simd: ["simd"], relaxed: ["simd", "relaxed-simd"] };
const folder = fileURLToPath(new URL("../", import.meta.url));

mkdirSync(`${folder}src/generated`, { recursive: true });
for (const [name, features] of Object.entries(variants)) {
  const binary = await compile(features);
  const base64 = Buffer.from(binary).toString("base64");
  const text = `import type { Binary } from "../binary.ts";

/** Made by tools/build-kernels.mjs. */
export const ${name}: Binary = {
  base64: "${base64}",
  ${Object.entries(importPlaces(binary))
    .map(([key, at]) => `${key}: ${at},`)
    .join(" ")}
};
`;
  writeFileSync(`${folder}src/generated/${name}.ts`, text);
}

async function compile(features) {
  const files = new Map();
  const { error, stderr } = await asc.main(
    [
      ...["assembly/index.ts", "--outFile", "kernels.wasm", "--baseDir", folder],
      ...["--runtime", "stub", "--importMemory", "--noExportMemory"],
      ...["-O3", "--noAssert", "--textFile", "kernels.wat"],
      ...features.flatMap((feature) => ["--enable", feature]),
    ],
    { readFile, writeFile: (path, contents) => void files.set(path, contents) },
  );
  if (error) throw new Error(`kernels: ${stderr.toString() || error.message}`, { cause: error });
  const binary = files.get("kernels.wasm");
  assertNoData(binary);
  return binary;
}

/**
 * A source as AssemblyScript wants it: with the decorators that stand in comments, which TypeScript
 * has not for functions, and without the ending of imported files.
 */
function readFile(name, base) {
  const path = resolve(base, name);
  if (!existsSync(path)) return null;
  return readFileSync(path, "utf8")
    .replace(/^\/\* (@.+) \*\/$/gm, "$1")
    .replace(/ from "(.+)\.ts";$/gm, ' from "$1";');
}

/** Throws if the module would write into the memory that it shares as soon as it is made. */
function assertNoData(binary) {
  const data = 11;
  if (sections(binary).some(({ id }) => id === data)) {
    throw new Error("kernels: expected no constants in memory, got some");
  }
}

/** Where a memory that is shared between threads is written differently. */
function importPlaces(binary) {
  const imports = sections(binary).find(({ id }) => id === 2);
  const memory = Buffer.from("\x03env\x06memory\x02");
  const limits = Buffer.from(binary).indexOf(memory) + memory.length;
  // The size must stay one byte when the limits grow, and they must be plain: from 0 pages on.
  const isPlain = binary[limits] === 0 && binary[limits + 1] === 0;
  if (imports.size > 120 || limits < memory.length || !isPlain) {
    throw new Error("kernels: expected an import of any memory, got another");
  }
  return { importsSize: imports.sizeAt, memoryLimits: limits };
}

/** The module's sections: what they are, how long, and where that is written. */
function sections(binary) {
  const found = [];
  let at = 8; // behind the magic number and the version
  while (at < binary.length) {
    const id = binary[at++];
    const sizeAt = at;
    let [size, shift] = [0, 0];
    let byte;
    do {
      byte = binary[at++];
      size |= (byte & 127) << shift;
      shift += 7;
    } while (byte & 128);
    found.push({ id, sizeAt, size });
    at += size;
  }
  return found;
}
