import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { CheckpointError } from "@dino/checkpoint";
import {
  type DownloadProgress,
  type HubFileOptions,
  hubFile,
  hubModels,
} from "@dino/checkpoint/node";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hubAddress } from "../src/node/hub/hub-address.ts";
import { type FileServer, fileServer, type Handler, serve } from "./file-server.ts";

let cache = "";
let server: FileServer | undefined;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), "dino-hub-"));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(cache, { recursive: true });
});

const file = Uint8Array.from({ length: 200_000 }, (_, i) => (i * i) % 251);
const sha256 = createHash("sha256").update(file).digest("hex");
const path = "/dino_deitsmall16_pretrain/dino_deitsmall16_pretrain.pth";

/** Fetches from a server on this machine that answers with `handle`. */
async function start(
  handle: Handler,
): Promise<(weights?: string, options?: object) => ReturnType<typeof hubFile>> {
  const started = await fileServer(handle);
  server = started;
  return (weights = "dino_vits16", options = {}) =>
    hubFile(weights, { cache, url: started.url, pause: 1, ...options } satisfies HubFileOptions);
}

/** All that lies in the cache. */
const kept = () =>
  (
    readdirSync(cache, { recursive: true, withFileTypes: true }) as {
      isFile(): boolean;
      name: string;
    }[]
  )
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);

const name = "dino_deitsmall16_pretrain.pth";

test("fetches a published name once, and tells how far it is", async () => {
  const fetchIt = await start((request, response) => serve(request, response, file));
  const progress: DownloadProgress[] = [];
  const first = await fetchIt("dino_vits16", {
    onProgress: (told: DownloadProgress) => progress.push(told),
  });
  expect(first).toMatchObject({ cached: false, sha256, url: `${server?.url}${path}` });
  expect(new Uint8Array(readFileSync(first?.path as string))).toEqual(file);
  expect(progress[0]).toEqual({ done: 0, total: file.length });
  expect(progress.at(-1)).toEqual({ done: file.length, total: file.length });
  expect(await fetchIt()).toEqual({ ...first, cached: true, sha256: undefined });
  expect(server?.asked).toEqual([`${path} all`]);
  expect(kept()).toEqual([name]);
  expect(await hubFile("some/path.pth", { cache })).toBeUndefined();
});

test("goes on where a connection broke, as often as it gets further", async () => {
  const fetchIt = await start((request, response, i) =>
    serve(request, response, file, i < 7 ? { cut: 20_000 } : {}),
  );
  expect(await fetchIt()).toMatchObject({ sha256, cached: false });
  const starts = server?.asked.map((line) => Number(/bytes=(\d+)/.exec(line)?.[1] ?? 0)) ?? [];
  expect(starts.length).toBeGreaterThanOrEqual(8);
  expect(starts[0]).toBe(0);
  for (let i = 1; i < starts.length; i++) {
    expect(starts[i]).toBeGreaterThanOrEqual(starts[i - 1] as number);
  }
  expect(starts.at(-1)).toBeGreaterThan(0);
});

test("goes on where another program ended, and not with another file's bytes", async () => {
  const controller = new AbortController();
  let etag = '"one"';
  const fetchIt = await start((request, response, i) =>
    i === 0
      ? response
          .writeHead(200, { etag, "content-length": file.length })
          .write(file.subarray(0, 50_000), () => setTimeout(() => controller.abort(), 50))
      : serve(request, response, file, { etag }),
  );
  await expect(fetchIt("dino_vits16", { signal: controller.signal })).rejects.toThrow("aborted");
  expect(kept().sort()).toEqual([`${name}.part`, `${name}.part.json`]);
  expect(await fetchIt()).toMatchObject({ sha256 });
  expect(server?.asked.at(-1)).toBe(`${path} bytes=50000-`);

  // The same again, but the file on the server is another by then.
  rmSync(join(cache, readdirSync(cache)[0] as string), { recursive: true });
  const part = join(cache, new URL(server?.url ?? "").host.replace(":", "_"), path);
  mkdirSync(dirname(part), { recursive: true });
  writeFileSync(`${part}.part`, "of an older file");
  writeFileSync(
    `${part}.part.json`,
    JSON.stringify({ url: `${server?.url}${path}`, version: etag }),
  );
  etag = '"two"';
  expect(await fetchIt()).toMatchObject({ sha256 });
  expect(kept()).toEqual([name]);
});

test("begins anew where a server has no ranges, or no way to tell its files apart", async () => {
  for (const options of [{ withoutRanges: true }, { etag: "" }, { etag: 'W/"weak"' }]) {
    const fetchIt = await start((request, response, i) =>
      serve(request, response, file, i === 0 ? { ...options, cut: 1000 } : options),
    );
    expect(await fetchIt()).toMatchObject({ sha256 });
    expect(kept()).toEqual([name]);
    await server?.close();
    rmSync(cache, { recursive: true });
    mkdirSync(cache);
  }
});

test("takes a part that turns out to be the whole", async () => {
  const fetchIt = await start((request, response) => serve(request, response, file));
  const part = join(cache, new URL(server?.url ?? "").host.replace(":", "_"), path);
  mkdirSync(dirname(part), { recursive: true });
  writeFileSync(`${part}.part`, file);
  writeFileSync(
    `${part}.part.json`,
    JSON.stringify({ url: `${server?.url}${path}`, version: '"one"' }),
  );
  expect(await fetchIt()).toMatchObject({ sha256 });
  writeFileSync(`${part}.part`, Buffer.concat([file, file]));
  writeFileSync(
    `${part}.part.json`,
    JSON.stringify({ url: `${server?.url}${path}`, version: '"one"' }),
  );
  rmSync(part);
  expect(await fetchIt()).toMatchObject({ sha256 }); // more than there is: from the start
});

test("waits for a busy server, and gives up in the end", async () => {
  const fetchIt = await start((request, response, i) => {
    if (i < 3) response.writeHead([503, 429, 500][i] as number).end("busy");
    else serve(request, response, file);
  });
  expect(await fetchIt()).toMatchObject({ sha256 });
  await server?.close();
  rmSync(cache, { recursive: true });
  const fails = await start((_, response) => response.writeHead(503).end());
  await expect(fails("dino_vits16", { attempts: 3 })).rejects.toThrow(
    `${server?.url}${path}: expected the file, got 503 Service Unavailable in 3 attempts: try again later, which goes on where it ended, or take a mirror`,
  );
  expect(server?.asked).toHaveLength(3);
});

test("leaves a connection that says nothing", async () => {
  const fetchIt = await start((request, response, i) => {
    if (i === 0)
      response
        .writeHead(200, { etag: '"one"', "content-length": file.length })
        .write(file.subarray(0, 1000));
    else serve(request, response, file);
  });
  expect(await fetchIt("dino_vits16", { patience: 300 })).toMatchObject({ sha256 });
});

test("follows redirects of every form, but neither for ever nor to other protocols", async () => {
  const fetchIt = await start((request, response) => {
    const location = { [path]: "/a", "/a": "b?x=1", "/b?x=1": `${server?.url}/c` }[
      request.url ?? ""
    ];
    if (location) response.writeHead(302, { location }).end();
    else serve(request, response, file);
  });
  expect(await fetchIt()).toMatchObject({ sha256 });
  expect(server?.asked).toEqual([`${path} all`, "/a all", "/b?x=1 all", "/c all"]);
  await server?.close();
  rmSync(cache, { recursive: true });
  const around = await start((_, response) => response.writeHead(307, { location: path }).end());
  await expect(around()).rejects.toThrow(
    `${server?.url}${path}: expected at most 10 redirects, got more`,
  );
  await server?.close();
  const away = await start((_, response) =>
    response.writeHead(302, { location: "file:///etc/passwd" }).end(),
  );
  await expect(away()).rejects.toThrow("expected a redirect to https, got");
});

test("says what a server refuses", async () => {
  const fetchIt = await start((_, response) => response.writeHead(404).end("<html>"));
  await expect(fetchIt()).rejects.toThrow(
    `${server?.url}${path}: expected the file, got 404 Not Found`,
  );
  expect(server?.asked).toHaveLength(1);
  expect(kept()).toEqual([]);
  const closed = server?.url;
  await server?.close();
  await expect(
    hubFile("dino_vits16", { cache, url: closed, pause: 1, attempts: 2 }),
  ).rejects.toThrow(`${closed}${path}: expected the file, got ECONNREFUSED in 2 attempts`);
});

test("throws away what hashes to something else than its asker, or its server, says", async () => {
  const wrong = "0".repeat(64);
  const hex = (digest: string) => Buffer.from(digest, "hex").toString("base64");
  let headers: Record<string, string> = {};
  const fetchIt = await start((request, response) => serve(request, response, file, { headers }));
  const message = `${server?.url}${path}: expected a file of SHA-256 ${wrong}, got ${sha256}: it was thrown away`;
  await expect(fetchIt(`dino_vits16#sha256=${wrong}`)).rejects.toThrow(message);
  for (const told of [
    { "x-linked-etag": `"${wrong}"` },
    { "repr-digest": `sha-256=:${hex(wrong)}:` },
    { digest: `MD5=abc, SHA-256=${hex(wrong)}` },
  ]) {
    headers = told as unknown as Record<string, string>;
    await expect(fetchIt()).rejects.toThrow(message);
    expect(kept()).toEqual([]);
  }
  headers = { "repr-digest": `sha-256=:${hex(sha256)}:` };
  expect(await fetchIt(`dino_vits16#sha256=${sha256.toUpperCase()}`)).toMatchObject({ sha256 });
});

test("keeps the checksum that is told before a redirect", async () => {
  const wrong = "1".repeat(64);
  const fetchIt = await start((request, response) => {
    if (request.url === path) {
      response.writeHead(302, { location: "/blob", "x-linked-etag": `"${wrong}"` }).end();
    } else serve(request, response, file, { etag: '"of the blob"' });
  });
  await expect(fetchIt()).rejects.toThrow(`expected a file of SHA-256 ${wrong}`);
});

test("fetches nothing offline", async () => {
  const fetchIt = await start((request, response) => serve(request, response, file));
  const where = join(cache, new URL(server?.url ?? "").host.replace(":", "_"), path);
  await expect(fetchIt("dino_vits16", { offline: true })).rejects.toThrow(
    `${where}: expected the file of ${server?.url}${path} there, as nothing is fetched offline, got none`,
  );
  expect(server?.asked).toEqual([]);
  await fetchIt();
  expect(await fetchIt("dino_vits16", { offline: true })).toMatchObject({
    path: where,
    cached: true,
  });
});

test("two that fetch the same at once fetch it once, and a lock that was left does not last", async () => {
  const fetchIt = await start((request, response) => serve(request, response, file));
  const both = await Promise.all([fetchIt(), fetchIt()]);
  expect(both.map((each) => each?.cached).sort()).toEqual([false, true]);
  expect(server?.asked).toHaveLength(1);

  const where = both[0]?.path as string;
  for (const pid of ["999999999", String(process.pid)]) {
    rmSync(where);
    writeFileSync(`${where}.lock`, pid);
    const long = new Date(Date.now() - 600_000);
    utimesSync(`${where}.lock`, long, long);
    expect(await fetchIt()).toMatchObject({ cached: false });
    expect(existsSync(`${where}.lock`)).toBe(false);
  }
});

test("fetches a model of Hugging Face's at a revision, with its configuration", async () => {
  const config = new TextEncoder().encode('{"num_attention_heads":6}');
  const fetchIt = await start((request, response) => {
    const [, owner, repo, , revision, name] = (request.url ?? "").split("/");
    const isKnown = `${owner}/${repo}@${revision}` === "facebook/dino-vits16@v1";
    if (isKnown && name === "config.json") serve(request, response, config);
    else if (isKnown && name === "pytorch_model.bin") serve(request, response, file);
    else response.writeHead(404).end();
  });
  const huggingFace = server?.url;
  const found = await fetchIt("hf://facebook/dino-vits16@v1", { huggingFace });
  expect(found).toMatchObject({ sha256 });
  expect(kept().sort()).toEqual(["config.json", "pytorch_model.bin"]);
  expect(server?.asked).toEqual(
    ["config.json", "model.safetensors", "pytorch_model.bin"].map(
      (name) => `/facebook/dino-vits16/resolve/v1/${name} all`,
    ),
  );
  const offline = await fetchIt("hf://facebook/dino-vits16@v1", { huggingFace, offline: true });
  expect(offline).toMatchObject({ path: found?.path, cached: true });
  await expect(fetchIt("hf://facebook/none", { huggingFace })).rejects.toThrow("got 404 Not Found");
});

test("knows where everything published is", () => {
  const url = (name: string, places = {}) => hubAddress(name, places)?.urls[0];
  expect(url("dino_vits16")).toBe(`https://dl.fbaipublicfiles.com/dino${path}`);
  expect(url("dino_vitb8")).toBe(
    "https://dl.fbaipublicfiles.com/dino/dino_vitbase8_pretrain/dino_vitbase8_pretrain.pth",
  );
  expect(url("dino_resnet50", { url: "https://mirror/x/" })).toBe(
    "https://mirror/x/dino_resnet50_pretrain/dino_resnet50_pretrain.pth",
  );
  expect(url("dino_vits8_linear", { url: "hf://me/dino@v2" })).toBe(
    "https://huggingface.co/me/dino/resolve/v2/dino_deitsmall8_pretrain/dino_deitsmall8_linearweights.pth",
  );
  expect(url("hf://me/dino/a/b.safetensors")).toBe(
    "https://huggingface.co/me/dino/resolve/main/a/b.safetensors",
  );
  expect(url("https://host/a.pth")).toBe("https://host/a.pth");
  expect(() => url("hf://me")).toThrow("hf://me: expected hf://owner/repository");
  const xcits = Object.keys(hubModels).filter((key) => key.startsWith("dino_xcit_"));
  expect(xcits).toHaveLength(4);
  for (const xcit of xcits) {
    expect(() => url(xcit)).toThrow(
      new CheckpointError(
        `${xcit}: expected a ViT or a ResNet, got an XCiT, which is announced and not here yet`,
      ),
    );
  }
});

test("keeps files of any address inside the cache", async () => {
  const fetchIt = await start((request, response) => serve(request, response, file));
  const found = await fetchIt(`${server?.url}/a/%2e%2e/..%2f/b%20c:d.pth?x=1&y=../..`);
  expect(found?.path.startsWith(cache)).toBe(true);
  expect(found?.path.slice(cache.length)).not.toMatch(/\/\.+(\/|$)|:/);
});

test("says where it cannot keep a file", async () => {
  const fetchIt = await start((request, response) => serve(request, response, file));
  writeFileSync(
    join(cache, new URL(server?.url ?? "").host.replace(":", "_")),
    "a file in the way",
  );
  await expect(fetchIt()).rejects.toThrow(
    /: expected to keep the file there, got (ENOTDIR|EEXIST)/,
  );
});
