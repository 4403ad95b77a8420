import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a server does with a request; `index` counts those that came before. */
export type Handler = (request: IncomingMessage, response: ServerResponse, index: number) => void;

export interface FileServer {
  readonly url: string;
  /** What was asked for: method, path and range. */
  readonly asked: string[];
  close(): Promise<void>;
}

/** A server on this machine alone. */
export async function fileServer(handle: Handler): Promise<FileServer> {
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    const { range = "all" } = request.headers;
    asked.push(`${request.url} ${range}`);
    handle(request, response, asked.length - 1);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export interface ServeOptions {
  readonly etag?: string | undefined;
  /** Breaks the connection after so many bytes of the answer. */
  readonly cut?: number | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Answers with all of the file whatever is asked. */
  readonly withoutRanges?: boolean;
}

/** Answers with a file, or the range of it that is asked for. */
export function serve(
  request: IncomingMessage,
  response: ServerResponse,
  file: Uint8Array,
  { etag = '"one"', cut, headers = {}, withoutRanges = false }: ServeOptions = {},
): void {
  const { range, "if-range": condition } = request.headers;
  const isWanted = !withoutRanges && range && (!condition || condition === etag);
  const start = isWanted ? Number(/^bytes=(\d+)-/.exec(range)?.[1]) : 0;
  const common = { ...headers, ...(etag !== "" && { etag }) };
  if (isWanted && start >= file.length) {
    response.writeHead(416, { ...common, "content-range": `bytes */${file.length}` }).end();
    return;
  }
  response.writeHead(isWanted ? 206 : 200, {
    ...common,
    "content-length": file.length - start,
    ...(isWanted && { "content-range": `bytes ${start}-${file.length - 1}/${file.length}` }),
  });
  if (cut === undefined) response.end(file.subarray(start));
  else {
    // What has come is thrown away by the client's socket if it breaks in the same moment.
    response.write(file.subarray(start, start + cut), () => {
      setTimeout(() => response.destroy(), 30);
    });
  }
}
