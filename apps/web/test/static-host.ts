import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, resolve } from "node:path";

const types: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
};

export interface StaticHost {
  readonly address: string;
  close(): Promise<void>;
}

/** The plainest of hosts: a folder's files below a path, with types, ranges and no other header. */
export async function staticHost(folder: string, path: string): Promise<StaticHost> {
  const server = createServer(({ url = "/", headers }, response) => {
    const { pathname } = new URL(url, "http://host");
    const name = pathname.slice(path.length) || "index.html";
    const file = resolve(folder, name);
    const inside = pathname.startsWith(path) && file.startsWith(folder);
    if (!inside || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    const bytes = readFileSync(file);
    const type = { "Content-Type": types[extname(file)] ?? "application/octet-stream" };
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "") ?? [];
    if (from === undefined || to === undefined) {
      response.writeHead(200, type).end(bytes);
      return;
    }
    const [start, end] = [Number(from), Math.min(Number(to) + 1, bytes.length)];
    const range = { "Content-Range": `bytes ${start}-${end - 1}/${bytes.length}` };
    response.writeHead(206, { ...type, ...range }).end(bytes.subarray(start, end));
  });
  await new Promise<void>((listening) => server.listen(0, "localhost", listening));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://localhost:${port}${path}`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}
