// `prepack` of a platform's package: takes the addon that `native` has for it. `--back` undoes it.
import { copyFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { resolve } from "node:path";

const { name, main } = JSON.parse(readFileSync("package.json", "utf8"));
const built = resolve(import.meta.dirname, "../native", main);
if (process.argv.includes("--back")) rmSync(main, { force: true });
else if (existsSync(built)) copyFileSync(built, main);
else {
  process.stderr.write(`${name}: expected ${built}, which tools/build-addon.mjs makes\n`);
  process.exit(1);
}
