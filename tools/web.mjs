// `npm run web`: builds the page and serves it. `npm run build:web`: builds it, a static site, in
// `apps/web/dist`. From a fresh clone with only Node; packages are taken from their sources.
import { install, pnpm } from "./workspace.mjs";

const args = process.argv.slice(2);

install();
pnpm(["exec", "turbo", "run", "build", "--filter=@dino/web", "--output-logs=errors-only"]);
if (args[0] === "--build") {
  console.log("apps/web/dist: a static site; any host serves it.");
} else {
  console.log("The page is at the address below; Ctrl-C ends it.");
  pnpm(["--filter", "@dino/web", "exec", "vite", "preview", ...args]);
}
