import { expect, test } from "vitest";
import { ProgramError, runProgram } from "../../src/engine-install/run-program.ts";

const node = (source: string) => [process.execPath, ["-e", source]] as const;

test("returns what a program prints, and hears each line", async () => {
  const heard: string[] = [];
  const program = node("console.log('one'); console.error('two'); console.log('three')");
  const output = await runProgram(...program, { onLine: (line) => heard.push(line) });
  expect(output).toBe("one\nthree");
  expect(heard.sort()).toEqual(["one", "three", "two"]);
});

test("tells how a failed one ended, and the end of what it said", async () => {
  const program = node(
    "for (let i = 0; i < 50; i++) console.error('line ' + i); process.exitCode = 3",
  );
  const error = await runProgram(...program).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(ProgramError);
  const { message, said } = error as ProgramError;
  expect(message).toMatch(/: expected it to end well, got exit code 3$/);
  expect(said).toHaveLength(40);
  expect(said.at(-1)).toBe("line 49");
});

test("names the signal that ended one", async () => {
  const program = node("process.kill(process.pid, 'SIGKILL')");
  await expect(runProgram(...program)).rejects.toThrow("got SIGKILL");
});

test("ends a program, and what it has started, when it is told to stop", async () => {
  const stop = new AbortController();
  const child = "setInterval(() => {}, 1000); console.log('runs')";
  const program = node(
    `require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(child)}], { stdio: "inherit" })`,
  );
  const run = runProgram(...program, { signal: stop.signal, onLine: () => stop.abort() });
  // The inner program holds the output open: as long as it runs, this waits.
  await expect(run).rejects.toThrow("aborted");
});

test("starts nothing once it was told to stop", async () => {
  await expect(runProgram(...node(""), { signal: AbortSignal.abort() })).rejects.toThrow("aborted");
});
