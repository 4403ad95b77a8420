import { gzipSync } from "node:zlib";
import { build, defaultClientConditions, type Rolldown } from "vite";
import { expect, test } from "vitest";

/** What Vite makes of a page with this script, in bytes, gzipped: every file that it would fetch. */
async function gzipped(program: string): Promise<number> {
  const entry = "\0page";
  const { output } = (await build({
    configFile: false,
    logLevel: "silent",
    root: import.meta.dirname,
    resolve: { conditions: ["@dino/source", ...defaultClientConditions] },
    build: { write: false, rolldownOptions: { input: entry } },
    plugins: [
      {
        name: "page",
        resolveId: (id) => (id === entry ? id : null),
        load: (id) => (id === entry ? program : null),
      },
    ],
  })) as Rolldown.RolldownOutput;
  return output
    .map((file) => (file.type === "chunk" ? file.code : file.source))
    .reduce((sum, content) => sum + gzipSync(content).length, 0);
}

test("a page that reads weights into a vision transformer stays below 150 kB gzipped", async () => {
  const bytes = await gzipped(`
    import { vit } from "@dino/backbones/vit";
    import { loadWeights, openCheckpoint } from "@dino/checkpoint";
    globalThis.features = async (file, image) => {
      const backbone = vit("small", { patchSize: 16 });
      return backbone.forward(await loadWeights(backbone, await openCheckpoint(file)), image);
    };
  `);
  expect(bytes).toBeLessThan(150_000);
  expect(bytes).toBeGreaterThan(20_000); // nothing was left out
});
