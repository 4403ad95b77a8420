import type { IncomingMessage, ServerResponse } from "node:http";

/** How a server of files treats pages of other origins. */
export type Manner = "open" | "hidden" | "whole" | "foreign";

/** What each lets a page read. */
const manners: Readonly<Record<Manner, Readonly<Record<string, string>>>> = {
  open: {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "Range",
    "access-control-expose-headers": "Content-Range, ETag",
  },
  hidden: { "access-control-allow-origin": "*", "access-control-allow-headers": "Range" },
  whole: { "access-control-allow-origin": "*", "access-control-allow-headers": "Range" },
  foreign: {},
};

/** Answers with the range of a file that is asked for, or, as a "whole" server, with all of it. */
export function serveFile(
  manner: Manner,
  { method, headers: { range = "" } }: IncomingMessage,
  response: ServerResponse,
  file: Uint8Array,
): void {
  const headers = { ...manners[manner], etag: '"1"' };
  if (method === "OPTIONS") {
    response.writeHead(204, headers).end();
    return;
  }
  const [, start, last] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
  if (start === undefined || manner === "whole") {
    response.writeHead(200, headers).end(file);
    return;
  }
  const part = file.subarray(Number(start), Number(last) + 1);
  const place = `bytes ${start}-${Number(start) + part.length - 1}/${file.length}`;
  response.writeHead(206, { ...headers, "content-range": place }).end(part);
}
