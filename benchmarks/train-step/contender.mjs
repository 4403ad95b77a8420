import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/**
 * A program that trains steps when it is told, and is idle otherwise. It prints one line of JSON
 * once it could begin, and one for each line that it is sent; {"error"} is a failure, and what is
 * no JSON is left alone.
 */
export function contender({ name, command, args, environment = {} }) {
  const child = spawn(command, args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said = (said + chunk).slice(-4000);
  });
  child.stdin.on("error", () => {}); // it has ended: `close` tells of it

  const answers = [];
  let waiting;
  let ended;
  const settle = () => {
    if (waiting === undefined) return;
    if (answers.length > 0) waiting.resolve(answers.shift());
    else if (ended !== undefined) waiting.reject(ended);
    else return;
    waiting = undefined;
  };
  createInterface({ input: child.stdout }).on("line", (line) => {
    const document = parsed(line);
    if (document !== undefined) answers.push(document);
    settle();
  });
  const end = (reason) => {
    ended ??= new Error(`${name}: ${reason}`);
    settle();
  };
  child.on("error", ({ message }) => end(message));
  child.on("close", (code, signal) => {
    const last = said.trim().split("\n").at(-1);
    end(`ended with ${code ?? signal}${last ? `: ${last}` : ""}`);
  });
  const stop = () => child.kill();
  process.once("exit", stop);

  const next = () =>
    new Promise((resolve, reject) => {
      waiting = { resolve, reject };
      settle();
    }).then((document) => {
      if (document.error !== undefined) throw new Error(document.error);
      return document;
    });

  return {
    name,
    /** What it says once it could begin. */
    ready: next,
    /** Sends a word, and gives the answer. */
    ask: (word) => {
      child.stdin.write(`${word}\n`);
      return next();
    },
    stop: () => {
      process.removeListener("exit", stop);
      stop();
    },
  };
}

function parsed(line) {
  try {
    return line.startsWith("{") ? JSON.parse(line) : undefined;
  } catch {
    return undefined;
  }
}
