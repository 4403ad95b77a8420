import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { playwright } from "@vitest/browser-playwright";
import { defaultClientConditions } from "vite";
import { defineConfig } from "vitest/config";
import { findChromium, softwareGpu } from "./tools/chromium.mjs";

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

/** What the browser's tests run on; where there is none they count as skipped. */
const chromium = findChromium();

/** What a process must be started with; a kernel that crashes ends its process, and no more. */
const forked: Readonly<Record<string, Record<string, string>>> = {
  "packages/backend-native": {},
  "packages/backend-webgpu": { DINO_TEST_BACKENDS: "webgpu", ...softwareGpu(chromium) },
};

const { DINO_SWIFTSHADER_ICD: icd } = softwareGpu(chromium);

/**
 * The command line finds the software GPU, which it takes when told to; the operations are tested
 * on the wasm kernels of tfjs too, which ours replace elsewhere.
 */
const environments: Readonly<Record<string, Record<string, string>>> = {
  "apps/train-node": icd === undefined ? {} : { DINO_SWIFTSHADER_ICD: icd },
  "packages/ops": { DINO_STOCK_WASM: "1" },
};

/** The tests that run in a page of that Chromium, not in Node. */
const pages = "packages/browser-tests";

const inPages = {
  // Without a Chromium this is Node, where these tests are skipped, or fail where they must not be.
  browser: {
    enabled: chromium !== undefined,
    headless: true,
    fileParallelism: false, // one page, which loads tfjs once
    screenshotFailures: false,
    instances: [{ browser: "chromium" as const }],
    provider: playwright({
      launchOptions: {
        ...(chromium && { executablePath: chromium }),
        args: [
          "--use-fake-device-for-media-stream",
          "--use-fake-ui-for-media-stream",
          "--enable-unsafe-webgpu",
          "--use-webgpu-adapter=swiftshader",
        ],
      },
    }),
  },
  globalSetup: ["server/start.ts"],
  setupFiles: chromium === undefined ? ["server/without-chromium.ts"] : [],
};

/** With these pages may share memory between threads, as the app's do. */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** What a page gets bundled, named, since a page reloads in the middle when more is found. */
const bundled = [
  "@tensorflow/tfjs-backend-cpu",
  "@tensorflow/tfjs-backend-wasm",
  "@tensorflow/tfjs-backend-webgpu",
  "@tensorflow/tfjs-core",
  "@tensorflow/tfjs-core/dist/register_all_gradients.js",
  "@dino/checkpoint > unzipit",
  "@dino/visualization > fast-png",
];

export default defineConfig({
  test: {
    pool: "threads",
    maxWorkers: availableParallelism(), // a test of the command line mostly waits for one process
    isolate: false, // one import of tfjs for each worker, not for each file
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: roots.map((root) => ({
      extends: true,
      resolve: {
        conditions: root === pages ? [...conditions, ...defaultClientConditions] : conditions,
      },
      server: root === pages ? { headers: isolation } : {},
      optimizeDeps: root === pages ? { noDiscovery: true, include: bundled } : {},
      ssr: { resolve: { conditions } },
      test: {
        name: root.replace("packages/", ""),
        root: `${import.meta.dirname}/${root}`,
        pool: root in forked ? "forks" : "threads",
        env: {
          ...(chromium && { DINO_CHROMIUM: chromium }),
          ...forked[root],
          ...environments[root],
        },
        ...(root === pages && inPages),
        include: long ? ["test/**/*.long.ts"] : ["test/**/*.test.ts"],
      },
    })),
  },
});
