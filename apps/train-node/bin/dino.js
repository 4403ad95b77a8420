#!/usr/bin/env node
import { main } from "../dist/main.js";

// Not process.exit: what was written to a pipe must get there first.
process.exitCode = await main(process.argv.slice(2));
