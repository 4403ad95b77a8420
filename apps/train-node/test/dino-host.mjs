// The process of `sharedDino`: runs one command line after another, each in its own folder and
// environment, and answers with what it would have written and ended with.
import { main } from "../dist/main.js";

process.on("message", async ({ words, cwd, env }) => {
  process.chdir(cwd);
  for (const name of Object.keys(process.env))
    if (!Object.hasOwn(env, name)) delete process.env[name];
  Object.assign(process.env, env);
  const stdout = collect(process.stdout);
  const stderr = collect(process.stderr);
  const code = await main(words);
  process.send({ code, stdout: stdout.text(), stderr: stderr.text() });
});

/** Keeps what is written to a stream, until it is asked for. */
function collect(stream) {
  const { write } = stream;
  let written = "";
  stream.write = (chunk, encoding, done = encoding) => {
    written += chunk;
    if (typeof done === "function") process.nextTick(done);
    return true;
  };
  return {
    text: () => {
      stream.write = write;
      return written;
    },
  };
}
