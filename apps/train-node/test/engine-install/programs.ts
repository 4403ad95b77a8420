import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Speaks as much of pip as an installation asks of it; its wheels hold a word for each library. */
const python = `#!/usr/bin/env node
  const { mkdirSync, writeFileSync } = require("node:fs");
  const { join } = require("node:path");
  const words = process.argv.slice(2);
  const after = (flag) => words[words.indexOf(flag) + 1];
  const write = (...path) => {
    mkdirSync(join(...path.slice(0, -1)), { recursive: true });
    writeFileSync(join(...path), "binary");
  };
  const wanted = words.at(-1);
  if (words.includes("--version")) console.log("Python 3.12.0");
  else if (wanted === "pip") write(after("--target"), "pip", "__init__.py");
  else if (process.env.TEST_PIP === "fails") {
    console.error("ERROR: Could not find a version that satisfies the requirement tensorflow");
    process.exit(1);
  } else if (words.includes("--dry-run")) {
    const cuda = ["tensorflow", "nvidia-cublas-cu12", "numpy"];
    const names = wanted.includes("[and-cuda]") ? cuda : ["tensorflow_cpu"];
    const install = names.map((name) => ({
      metadata: { name, version: "2.21.0" },
      download_info: { url: process.env.TEST_REGISTRY + "/wheels/" + name },
    }));
    console.log(JSON.stringify({ install }));
  } else {
    const target = after("--target");
    console.log("Downloading tensorflow.whl\\nProgress 500 of 1000\\nProgress 1000 of 1000");
    write(target, "tensorflow", "include", "tensorflow", "c", "c_api.h");
    write(target, "tensorflow", "libtensorflow_cc.so.2");
    write(target, "tensorflow", "libtensorflow_framework.so.2");
    write(target, "tensorflow", "python", "__init__.py");
    write(target, "bin", "saved_model_cli");
    if (words.some((word) => word.startsWith("nvidia"))) {
      write(target, "nvidia", "cublas", "lib", "libcublas.so.12");
    }
  }
`;

/** A Python and a compiler that stand in for those of a machine; returns their folder. */
export function writePrograms(folder: string): string {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const programs = { python3: python, "g++": "#!/bin/sh\n", make: "#!/bin/sh\n" };
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(bin, name), text);
    chmodSync(join(bin, name), 0o755);
  }
  return bin;
}
