import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";
import { assertBuilt, environmentOf, type Outcome } from "./dino.ts";

const host = fileURLToPath(new URL("./dino-host.mjs", import.meta.url));

export interface SharedDinoOptions {
  readonly cwd: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * The command line, on the wasm backend, in one process for the tests of a file, one command after
 * another: to start one takes longer than most of them. What is said of a process, its signals, its
 * exit code and what it is started with, is tested with `dino`.
 */
export function sharedDino(): (
  words: readonly string[],
  options: SharedDinoOptions,
) => Promise<Outcome> {
  let child: ChildProcess | undefined;
  let last: Promise<unknown> = Promise.resolve();
  afterAll(() => {
    child?.disconnect();
  });
  return (words, { cwd, environment }) => {
    assertBuilt();
    const outcome = last.then(() => {
      child ??= fork(host, { execArgv: [], stdio: ["ignore", "ignore", "pipe", "ipc"] });
      return answerOf(child, { words, cwd, env: environmentOf(cwd, environment) });
    });
    last = outcome.catch(() => undefined);
    return outcome;
  };
}

function answerOf(child: ChildProcess, question: object): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    let said = "";
    const listen = (chunk: Buffer) => {
      said += chunk;
    };
    const ended = (code: number | null) =>
      reject(new Error(`the command line's process ended with ${code}: ${said}`));
    child.stderr?.on("data", listen);
    child.once("close", ended);
    child.once("message", (outcome: Outcome) => {
      child.stderr?.off("data", listen);
      child.off("close", ended);
      resolve(outcome);
    });
    child.send(question);
  });
}
