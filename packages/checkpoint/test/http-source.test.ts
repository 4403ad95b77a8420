import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { CheckpointError, httpSource, openCheckpoint } from "@dino/checkpoint";
import { goldensFolder } from "@dino/testing";
import { afterAll, expect, test } from "vitest";

const file = readFileSync(resolve(goldensFolder(), "checkpoints", "dino_zip.pth"));

/** What the server does at an address, and the bytes it has sent. */
const sent = { requests: 0, bytes: 0 };
let served = file;
let etag = '"1"';
const server = createServer((request, response) => {
  sent.requests += 1;
  (pages[request.url ?? ""] ?? missing)(request, response);
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
afterAll(() => server.close());

type Page = (request: IncomingMessage, response: ServerResponse) => void;

const ranges: Page = (request, response) => {
  const [, start, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
  const part = served.subarray(Number(start), Number(last) + 1);
  sent.bytes += part.length;
  const place = `bytes ${start}-${Number(start) + part.length - 1}/${served.length}`;
  response.writeHead(206, { "content-range": place, etag }).end(part);
};
const missing: Page = (_, response) => response.writeHead(404).end();
const pages: Readonly<Record<string, Page>> = {
  "/ranges.pth?key=secret": ranges,
  "/ranges.pth": ranges,
  "/whole.pth": (_, response) => response.writeHead(200).end(file),
  "/other.pth": (_, response) =>
    response.writeHead(206, { "content-range": "bytes 5-9/10" }).end("hello"),
  "/more.pth": (_, response) =>
    response.writeHead(206, { "content-range": "bytes 0-3/4" }).end("hello"),
  "/less.pth": (_, response) => {
    response.writeHead(206, { "content-range": "bytes 0-9/10", "content-length": 10 });
    response.write("hello", () => response.destroy());
  },
  "/hanging.pth": () => {},
};

test("opens a checkpoint by ranges, and fetches only what is asked for", async () => {
  const source = await httpSource(`${origin}/ranges.pth`);
  expect(source.size).toBe(file.length);
  const checkpoint = await openCheckpoint(source);
  const whole = await openCheckpoint(new Uint8Array(file));
  expect(sent.bytes).toBeLessThan(500_000); // of 1.2 MB
  for (const name of [...whole.tensors.keys()].slice(0, 8)) {
    expect(await checkpoint.read(name)).toEqual(await whole.read(name));
  }
});

test("reads any bytes as they are, next to each other or far apart", async () => {
  const source = await httpSource(`${origin}/ranges.pth`);
  const places = [
    [0, 10],
    [131_070, 4],
    [100_000, 131_072],
    [file.length - 5, 5],
    [200_000, 300_000],
    [file.length - 5, 50],
    [file.length, 1],
  ] as const;
  for (const [offset, length] of places) {
    const bytes = await source.read(offset, length);
    expect(Buffer.compare(bytes, file.subarray(offset, offset + length))).toBe(0);
  }
});

test("shares one request among short reads of one place", async () => {
  const source = await httpSource(`${origin}/ranges.pth`);
  const before = sent.requests;
  await Promise.all([0, 1, 2, 3, 4].map((i) => source.read(600_000 + i, 4)));
  expect(sent.requests).toBe(before + 1);
});

test.each([
  ["/none.pth", "expected bytes=0-131071, got status 404 Not Found"],
  [
    "/whole.pth",
    "expected bytes=0-131071, got the whole file: the server knows no ranges, so download it first",
  ],
  ["/other.pth", 'expected bytes=0-131071, got content-range "bytes 5-9/10"'],
  ["/more.pth", "expected bytes=0-131071, got more than 4 bytes"],
])("refuses the answer of %s", async (page, message) => {
  await expect(httpSource(origin + page)).rejects.toThrow(
    new CheckpointError(`${origin}${page}: ${message}`),
  );
});

test("says when a connection breaks, or there is none", async () => {
  await expect(httpSource(`${origin}/less.pth`)).rejects.toThrow(CheckpointError);
  await expect(httpSource("http://127.0.0.1:1/x.pth")).rejects.toThrow(
    "http://127.0.0.1:1/x.pth: expected bytes=0-131071, got ",
  );
});

test("notices a file that was replaced", async () => {
  const source = await httpSource(`${origin}/ranges.pth`);
  etag = '"2"';
  await expect(source.read(700_000, 4)).rejects.toThrow(
    "expected the file that was opened, got another in its place: open it anew",
  );
  served = file.subarray(0, 900_000);
  etag = '"1"';
  await expect(source.read(700_000, 4)).rejects.toThrow("got another in its place");
  served = file;
  expect((await source.read(700_000, 4)).length).toBe(4); // it is the old one again
});

test("keeps what an address may hold in secret out of its name", async () => {
  const source = await httpSource(`${origin}/ranges.pth?key=secret`);
  expect(source.name).toBe(`${origin}/ranges.pth`);
});

test("stops when told to", async () => {
  const stop = new AbortController();
  const opening = httpSource(`${origin}/hanging.pth`, { signal: stop.signal });
  stop.abort(new Error("enough"));
  await expect(opening).rejects.toThrow("enough");
});
