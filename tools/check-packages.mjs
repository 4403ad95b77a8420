// Packs what is published, as it would be, and checks every tarball: publint for its manifest and its
// files, attw for its types. All in one process, since to start theirs takes longer than to check.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { problemKindInfo } from "@arethetypeswrong/core/problems";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { pnpm } from "./workspace.mjs";

/** How packages of ESM alone cannot be resolved, and need not be. */
const withoutEsm = ["node10", "node16-cjs"];

const folder = mkdtempSync(join(tmpdir(), "dino-packages-"));
let faults = 0;
try {
  const published = ["./packages/*", "!@dino/testing", "!@dino/browser-tests", "./apps/train-node"];
  const filters = published.flatMap((each) => ["--filter", each]);
  const pack = [
    "--recursive",
    ...filters,
    "pack",
    "--pack-destination",
    folder,
    "--config.ignore-scripts=true",
  ];
  pnpm(pack, { stdio: ["ignore", "ignore", "inherit"] });
  for (const file of readdirSync(folder)) {
    for (const fault of await faultsOf(readFileSync(join(folder, file)))) {
      console.error(`${file}: ${fault}`);
      faults++;
    }
  }
  if (readdirSync(folder).length === 0) throw new Error("nothing was packed");
} finally {
  rmSync(folder, { recursive: true });
}
process.exitCode = faults > 0 ? 1 : 0;

async function faultsOf(bytes) {
  const tarball = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const { messages, pkg } = await publint({ pack: { tarball }, strict: true, level: "warning" });
  const { types, problems = [] } = await checkPackage(createPackageFromTarballData(bytes));
  const wrong = types
    ? problems.filter(({ resolutionKind }) => !withoutEsm.includes(resolutionKind))
    : [];
  return [
    ...messages.map((message) => formatMessage(message, pkg)),
    ...wrong.map((problem) => `${problemKindInfo[problem.kind].title}: ${JSON.stringify(problem)}`),
  ];
}
