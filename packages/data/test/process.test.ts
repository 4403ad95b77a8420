import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { drawn, sharpOf, temporaryFolder, write } from "./pictures.ts";

const folder = temporaryFolder();
for (let i = 0; i < 70; i++) await write(folder, { [`cat/${i}.png`]: sharpOf(drawn(30, 20, i)) });

/** Runs a program on the built package in a process of its own; gives what it prints. */
async function run(program: string): Promise<string> {
  const tfjs = `createRequire(process.cwd() + "/../testing/package.json")("@tensorflow/tfjs")`;
  const source = program
    .replace('import * as tf from "@tensorflow/tfjs";', `const tf = ${tfjs}; tf.setBackend("cpu");`)
    .replaceAll('"photos"', JSON.stringify(folder));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "--eval", `import { createRequire } from "node:module"; ${source}`],
    { timeout: 30_000, cwd: fileURLToPath(new URL("..", import.meta.url)) },
  );
  return stdout;
}

const start = `
  import { multiCrop } from "@dino/augmentations";
  import { imageFolder, labeledImages, loader } from "@dino/data/node";
  import * as tf from "@tensorflow/tfjs";
  const photos = await imageFolder("photos");
  const views = multiCrop({ global: 8, local: 4, locals: 2 });
  const batches = loader(photos, { views, batchSize: 4, seed: 0, workers: 2 });
`;

test("the README's program runs as printed", async () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const [, program] = /```ts\n(.*?)```/s.exec(readme) ?? [];
  const output = await run(program as string);
  expect(output).toMatch(
    /^70 \[ 'cat' \] \[\]\n\[ \[ 128, 64, 64, 3 \], \[ 384, 32, 32, 3 \] \]\n/,
  );
  expect(output).toContain("[ 64, 64, 64, 3 ] Int32Array(64)");
  expect(output).toContain("[ 6, 64, 64, 3 ] Int32Array(6)");
});

test.each([true, false])(
  "a program ends by itself after leaving early; closed: %s",
  async (close) => {
    const output = await run(`${start}
    for await (const crops of batches.steps()) break;
    for (let i = 0; i < 8; i++) {
      for await (const { labels } of labeledImages(photos, { size: 8, workers: 1 })) break;
    }
    console.log("left");
    if (${close}) await batches.close();
    console.log("end");
  `);
    expect(output).toBe("left\nend\n");
  },
);

test("an abort that nobody handles beside its loop breaks nothing", async () => {
  const output = await run(`${start}
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 50);
    try {
      for await (const crops of batches.steps({ signal: controller.signal })) {}
    } catch (error) {
      console.log(error.name);
    }
  `);
  expect(output).toBe("AbortError\n");
});
