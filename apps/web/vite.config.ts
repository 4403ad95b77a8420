import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defaultClientConditions, defineConfig } from "vite";
import { offline } from "./tools/offline-plugin.ts";

/** With these a page may share memory between threads, which makes the wasm engine faster. */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

export default defineConfig({
  root: import.meta.dirname,
  base: "./", // any host, any folder
  resolve: { conditions: ["@dino/source", ...defaultClientConditions] },
  plugins: [svelte({ configFile: false }), offline()],
  worker: { format: "es" },
  build: { target: "es2022", chunkSizeWarningLimit: 2000, assetsInlineLimit: 0 },
  server: { headers: isolation },
  preview: { headers: isolation },
});
