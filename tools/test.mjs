// `npm test`: everything, from a fresh clone. `--goldens`: the tests that read goldens, alone.
// `--long`: what takes longer than a test should.
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { provideChromium } from "./chromium.mjs";
import { build, install, pnpm, root } from "./workspace.mjs";

const reporters = ["--reporter=default", "--reporter=./tools/ci-reporter.ts"];
const vitest = (args, env) =>
  pnpm(["exec", "vitest", "run", ...reporters, ...args], {
    env: { ...env, ...(chromium && { DINO_CHROMIUM: chromium }) },
  });

install();
const chromium = process.argv.includes("--goldens") ? undefined : provideChromium();
if (process.argv.includes("--goldens")) {
  build();
  vitest(testsThatRead("golden"));
} else if (process.argv.includes("--long")) {
  build();
  vitest([], { DINO_LONG_TESTS: "1" });
} else {
  pnpm(["exec", "biome", "ci", "."]);
  build("typecheck", "check:package");
  vitest([]);
}

/** Test files that call a function of this name. */
function testsThatRead(name) {
  const call = new RegExp(`\\b${name}(<|\\()`);
  return ["packages", "apps"].flatMap((folder) =>
    readdirSync(resolve(root, folder), { recursive: true })
      .filter((file) => file.endsWith(".test.ts") && !file.includes("node_modules"))
      .map((file) => `${folder}/${file}`)
      .filter((file) => call.test(readFileSync(resolve(root, file), "utf8"))),
  );
}
