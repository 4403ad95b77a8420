import { existsSync, readdirSync } from "node:fs";
import { defineConfig } from "vitest/config";

const roots = ["packages", "apps"]
  .filter((folder) => existsSync(`${import.meta.dirname}/${folder}`))
  .flatMap((folder) =>
    readdirSync(`${import.meta.dirname}/${folder}`).map((name) => `${folder}/${name}`),
  );
roots.push("docs", "tools", "benchmarks");

/** `npm run test:long`: what takes longer than a test should. */
const long = process.env.DINO_LONG_TESTS !== undefined;

/** Packages resolve to each other's `src`, so no test ever waits for a build. */
const conditions = ["@dino/source"];

export default defineConfig({
  test: {
    pool: "threads",
    isolate: false, // one import of tfjs for each worker, not for each file
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: roots.map((root) => ({
      extends: true,
      resolve: { conditions },
      ssr: { resolve: { conditions } },
      test: {
        name: root.replace("packages/", ""),
        root: `${import.meta.dirname}/${root}`,
        // A kernel that crashes ends its process, and no more.
        pool: root === "packages/backend-native" ? "forks" : "threads",
        include: long ? ["test/**/*.long.ts"] : ["test/**/*.test.ts"],
      },
    })),
  },
});
