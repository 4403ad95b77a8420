import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { vit } from "@dino/backbones/vit";
import { writeSafetensors } from "@dino/checkpoint/node";
import { key, random } from "@dino/random";
import ts from "typescript";
import "@tensorflow/tfjs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { layOut, preludes, programs, root, smaller } from "./programs.ts";

const run = promisify(execFile);
const folder = mkdtempSync(resolve(tmpdir(), "dino-programs-"));
/** Beside the documentation's own dependencies, where a program finds its imports. */
const sources = resolve(root, "docs/.programs");

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
    writeFileSync(resolve(sources, `${file}.ts`), source);
    const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
    const { outputText } = ts.transpileModule(source, { compilerOptions: options });
    writeFileSync(resolve(sources, `${file}.mjs`), outputText);
  }
  writeFileSync(
    resolve(sources, "tsconfig.json"),
    JSON.stringify({
      extends: "../tsconfig.json",
      include: ["*.ts"],
      compilerOptions: { customConditions: [], noUnusedLocals: false },
    }),
  );
});

afterAll(() => {
  for (const leftover of [folder, sources]) rmSync(leftover, { recursive: true, force: true });
});

test("the programs of the documentation are typed", async () => {
  const compiler = resolve(root, "node_modules/typescript/bin/tsc");
  const checked = run(process.execPath, [compiler, "-p", sources]);
  await expect(checked.catch(({ stdout }) => stdout)).resolves.toMatchObject({ stdout: "" });
}, 120_000);

test.for(files)("$name runs as printed", { timeout: 120_000 }, async ({ file }) => {
  await run(process.execPath, [resolve(sources, `${file}.mjs`)], { cwd: folder });
});
