import { fork } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { rolldown } from "rolldown";

/** What became of one spec. */
export interface Spec {
  readonly name: string;
  /** Whether it ran: neither excluded here nor switched off by tfjs. */
  readonly ran: boolean;
  readonly failures: readonly string[];
}

/** What the suite's process says. */
export type Message =
  | { readonly started: string }
  | { readonly spec: Spec }
  | { readonly done: true };

/** More than ten times what it takes on two cores. */
const timeout = 180_000;

/**
 * Runs tfjs-core's suite in a process of its own: the suite resets the engine, replaces globals,
 * and may be ended by a kernel that crashes. The spec that was running then counts as failed.
 */
export async function runSuite(): Promise<Spec[]> {
  const folder = await mkdtemp(join(tmpdir(), "dino-conformance-"));
  try {
    const program = join(folder, "suite.mjs");
    await bundle(program);
    return await run(program);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** tfjs's modules are such as only a bundler reads; with ours they must share one tfjs-core. */
async function bundle(file: string): Promise<void> {
  const build = await rolldown({
    input: join(import.meta.dirname, "suite.ts"),
    platform: "node",
    logLevel: "silent",
    // tfjs-core does not say that its tests have effects.
    treeshake: false,
    resolve: { mainFields: ["module", "main"], conditionNames: ["@dino/source", "import"] },
    plugins: [
      {
        name: "own-addresses",
        transform: (code, id) =>
          code.replaceAll("import.meta.url", JSON.stringify(pathToFileURL(id).href)),
      },
    ],
  });
  await build.write({ file, format: "esm", codeSplitting: false });
  await build.close();
}

function run(program: string): Promise<Spec[]> {
  const specs: Spec[] = [];
  let [current, done, errors] = ["nothing yet", false, ""];
  const child = fork(program, {
    execArgv: ["--max-old-space-size=1024"],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    timeout,
    killSignal: "SIGKILL",
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-2000);
  });
  child.on("message", (message: Message) => {
    if ("started" in message) current = message.started;
    else if ("spec" in message) specs.push(message.spec);
    else done = true;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const failure = `the process ended too early, by ${signal ?? `exit status ${code}`}\n${errors}`;
      resolve(done ? specs : [...specs, { name: current, ran: true, failures: [failure] }]);
    });
  });
}
