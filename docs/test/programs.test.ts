import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { vit } from "@dino/backbones/vit";
import { writeSafetensors } from "@dino/checkpoint/node";
import { key, random } from "@dino/random";
import "@tensorflow/tfjs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { layOut, preludes, programs, root, smaller } from "./programs.ts";

const run = promisify(execFile);
const folder = mkdtempSync(resolve(tmpdir(), "dino-programs-"));
/** Beside the documentation's own dependencies, where a program finds its imports. */
const sources = resolve(root, "docs/.programs");

/** What the compiler says of the programs, which it writes as JavaScript all the same. */
let faults = "";

const files = programs().map((program) => {
  const shown = (preludes[program.name] ?? "") + program.source;
  const source = smaller.reduce((text, [large, small]) => text.replaceAll(large, small), shown);
  return { ...program, source, file: program.name.replaceAll(/[^a-z0-9]+/gi, "-") };
});

beforeAll(async () => {
  rmSync(sources, { recursive: true, force: true });
  mkdirSync(sources, { recursive: true });
  await layOut(folder);
  const backbone = vit({ embedDim: 48, depth: 2, heads: 6, patchSize: 16 });
  await writeSafetensors(
    resolve(folder, "dino_vits16.safetensors"),
    backbone.init(random(key(0))),
    {},
  );
  for (const { file, source } of files) {
    writeFileSync(resolve(sources, `${file}.mts`), source);
  }
  writeFileSync(
    resolve(sources, "tsconfig.json"),
    JSON.stringify({
      extends: "../tsconfig.json",
      include: ["*.mts"],
      compilerOptions: {
        customConditions: [],
        noUnusedLocals: false,
        noEmit: false,
        allowImportingTsExtensions: false,
      },
    }),
  );
  const compiler = resolve(root, "node_modules/typescript/bin/tsc");
  const compiled = run(process.execPath, [compiler, "-p", sources]);
  faults = (await compiled.catch(({ stdout }) => ({ stdout }))).stdout;
});

afterAll(() => {
  for (const leftover of [folder, sources]) rmSync(leftover, { recursive: true, force: true });
});

test("the programs of the documentation are typed", () => {
  expect(faults).toBe("");
});

test.for(files)("$name runs as printed", { timeout: 120_000 }, async ({ file }) => {
  await run(process.execPath, [resolve(sources, `${file}.mjs`)], { cwd: folder });
});
