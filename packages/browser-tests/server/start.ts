import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { labeledImages, loader, readImage } from "@dino/data/node";
import type { TestProject } from "vitest/node";
import "@tensorflow/tfjs-backend-cpu";
import { drawnSet } from "../test/drawn.ts";
import { cropOptions, cropValues, lookOptions, lookValues } from "../test/views.ts";
import { type Manner, serveFile } from "./serve-file.ts";
import { writeCheckpoints } from "./write-checkpoints.ts";
import { writePictures } from "./write-pictures.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A server of another origin than the tests' page: files, and Node's own answers. */
    readonly host: string;
    /** The folder of its files on the machine. */
    readonly folder: string;
  }
}

/** Small files that PyTorch, Pillow and others wrote. */
const corpus = resolve(import.meta.dirname, "../../testing/corpus");

/** Starts what the tests in a page ask: files, and what Node makes of the same. */
export default async function start({ provide }: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(resolve(import.meta.dirname, "../node_modules/.files-"));
  cpSync(corpus, join(folder, "corpus"), { recursive: true });
  await writePictures(folder);
  await writeCheckpoints(folder);

  const answers: Readonly<Record<string, (name: string) => Promise<unknown>>> = {
    decoded: async (name) => {
      const { width, height, data } = await readImage(join(folder, name));
      return { width, height, data: [...data] };
    },
    crops: () => cropValues(loader(drawnSet, { ...cropOptions, workers: 0 })),
    looks: () => lookValues(labeledImages(drawnSet, { ...lookOptions, workers: 0 })),
  };
  const server = createServer(async (request, response) => {
    const [kind = "", ...path] = decodeURI(request.url ?? "")
      .slice(1)
      .split("/");
    const name = path.join("/");
    try {
      const answer = answers[kind];
      if (answer === undefined) {
        serveFile(kind as Manner, request, response, readFileSync(join(folder, name)));
        return;
      }
      response.setHeader("access-control-allow-origin", "*");
      response.end(JSON.stringify(await answer(name)));
    } catch (error) {
      response.writeHead(404, { "access-control-allow-origin": "*" }).end(String(error));
    }
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  provide("host", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  provide("folder", folder);

  return async () => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true });
  };
}
