import { expect, test } from "vitest";
import { threadsStart, whole, withWholeThreads } from "../src/engines/browser-threads.ts";

/** A module's text as a minifier leaves it: `e` was around the function, `m` is its parameter. */
const minified =
  "var WasmBackendModuleThreadedSimd = (function(m){return {url:m.mainScriptUrlOrBlob||e}})";

test("gives the threads' source the variable that a minifier renamed", async () => {
  const run = (text: string) => new Function(`${text}; return WasmBackendModuleThreadedSimd({})`);
  expect(run(minified)).toThrow("e is not defined");
  let text = "";
  await withWholeThreads(async () => {
    text = await new Blob([minified]).text();
  });
  expect(run(text)()).toEqual({ url: undefined });
});

test("leaves every other text alone, and Blob as it was", async () => {
  const before = Blob;
  await expect(
    withWholeThreads(async () => {
      expect(await new Blob(["a", new Uint8Array([98])]).text()).toBe("ab");
      throw new Error("no threads");
    }),
  ).rejects.toThrow("no threads");
  expect(Blob).toBe(before);
  expect(whole("var other = 1")).toBe("var other = 1");
});

test("relies on no threads in Firefox alone", () => {
  const linux = "Mozilla/5.0 (X11; Linux x86_64";
  expect(threadsStart(`${linux}; rv:153.0) Gecko/20100101 Firefox/153.0`)).toBe(false);
  const chrome = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
  expect(threadsStart(`${linux}) ${chrome}`)).toBe(true);
});
