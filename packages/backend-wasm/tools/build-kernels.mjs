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
  const text = `/** The kernels' WebAssembly in base64, made by tools/build-kernels.mjs. */
export const ${name}: string =
  "${Buffer.from(binary).toString("base64")}";
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
  let at = 8; // behind the magic number and the version
  while (at < binary.length) {
    const section = binary[at++];
    let [size, shift] = [0, 0];
    let byte;
    do {
      byte = binary[at++];
      size |= (byte & 127) << shift;
      shift += 7;
    } while (byte & 128);
    if (section === data) throw new Error("kernels: expected no constants in memory, got some");
    at += size;
  }
}
