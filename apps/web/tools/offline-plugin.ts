import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Plugin } from "vite";

/** Writes the service worker, which is told every file of the page so that it works offline. */
export function offline(): Plugin {
  return {
    name: "offline",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const names = [...Object.keys(bundle), "icon.svg", "manifest.webmanifest"].sort();
        const files = ["./", ...names.filter((name) => name !== "index.html")];
        const version = createHash("sha256");
        for (const name of Object.keys(bundle).sort()) {
          const file = bundle[name];
          version.update(name);
          if (file) version.update(file.type === "asset" ? file.source : file.code);
        }
        const program = readFileSync(
          resolve(import.meta.dirname, "../offline/service-worker.js"),
          "utf8",
        );
        const source = program
          .replace('"__VERSION__"', JSON.stringify(version.digest("hex").slice(0, 16)))
          .replace('["__FILES__"]', JSON.stringify(files));
        this.emitFile({ type: "asset", fileName: "service-worker.js", source });
      },
    },
  };
}
