import { build, defaultClientConditions, type Rolldown } from "vite";
import { expect, test } from "vitest";

test("goes into a page without anything of Node's, and brings the .wasm files along", {
  timeout: 300_000,
}, async () => {
  const entry = "\0page";
  const { output } = (await build({
    configFile: false,
    logLevel: "silent",
    root: import.meta.dirname,
    resolve: { conditions: ["@dino/source", ...defaultClientConditions] },
    build: { write: false, minify: false, rolldownOptions: { input: entry } },
    plugins: [
      {
        name: "page",
        resolveId: (id) => (id === entry ? id : null),
        load: (id) =>
          id === entry
            ? 'import { startBackend } from "@dino/backend"; document.title = await startBackend();'
            : null,
      },
    ],
  })) as Rolldown.RolldownOutput;
  const code = output.map((file) => (file.type === "chunk" ? file.code : "")).join("\n");
  expect(code).not.toMatch(/["']node:/);
  expect(code).not.toContain("DINO_WEBGPU_ADAPTER");
  const files = output.map(({ fileName }) => fileName).filter((name) => name.endsWith(".wasm"));
  expect(files).toHaveLength(2);
});
