// Compiles kernels.ts to src/kernels-module.ts: to be run after every change of it.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const source = resolve(import.meta.dirname, "kernels.ts");
const folder = mkdtempSync(join(tmpdir(), "kernels-"));
try {
  const binary = join(folder, "kernels.wasm");
  execFileSync(
    "npx",
    [
      ...["--yes", "-p", "assemblyscript@0.28.20", "asc", source, "--outFile", binary],
      ...["-O3", "--noAssert", "--runtime", "stub", "--enable", "simd", "--importMemory"],
    ],
    { cwd: folder, stdio: "inherit", shell: process.platform === "win32" },
  );
  const hash = createHash("sha256").update(readFileSync(source)).digest("hex");
  writeFileSync(
    resolve(import.meta.dirname, "../src/kernels-module.ts"),
    `// Made by kernels/build.mjs from kernels/kernels.ts.

/** What the source's SHA-256 was. */
export const kernelsSource: string =
  "${hash}";

/** The compiled module in base 64. */
export const kernelsModule: string =
  "${readFileSync(binary).toString("base64")}";
`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
