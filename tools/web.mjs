// `npm run web`: builds the page and serves it. `npm run build:web`: builds it, a static site, in
// `apps/web/dist`. From a fresh clone with only Node; packages are taken from their sources.
import { install, pnpm } from "./workspace.mjs";

const inWeb = (...args) => pnpm(["--filter", "@dino/web", ...args]);

install();
pnpm(["--filter", "@dino/backend-wasm", "run", "build:kernels"]);
inWeb("run", "build");
if (process.argv.includes("--build")) {
  console.log("apps/web/dist: a static site; any host serves it.");
} else {
  console.log("The page is at the address below; Ctrl-C ends it.");
  inWeb("exec", "vite", "preview", ...process.argv.slice(2));
}
