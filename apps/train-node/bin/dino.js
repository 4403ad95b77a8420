#!/usr/bin/env node
import module from "node:module";

module.enableCompileCache?.(); // Node 22.8 and later: the next start compiles nothing
// Whoever reads standard output may stop reading it, as `head` does.
process.stdout.on("error", (error) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});
const { main } = await import("../dist/main.js");

// Not process.exit: what was written to a pipe must get there first.
process.exitCode = await main(process.argv.slice(2));
