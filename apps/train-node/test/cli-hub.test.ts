import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { goldensFolder } from "@dino/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tiny } from "./dino.ts";
import { writePictures } from "./pictures.ts";
import { sharedDino } from "./shared-dino.ts";

const dino = sharedDino();

const weights = readFileSync(resolve(goldensFolder(), "checkpoints", "dino_zip.pth"));
const place = "/dino_deitsmall16_pretrain/dino_deitsmall16_pretrain.pth";
let folder = "";
let server: Server;
let asked = 0;
let environment: Record<string, string> = {};
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dino-cli-hub-"));
  await writePictures(join(folder, "photos"), { count: 4 });
  server = createServer((request, response) => {
    asked++;
    if (request.url === place)
      response.writeHead(200, { "content-length": weights.length }).end(weights);
    else response.writeHead(404).end();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  environment = { DINO_HUB_URL: `http://127.0.0.1:${port}`, DINO_CACHE: join(folder, "cache") };
});
afterAll(async () => {
  await new Promise((done) => server.close(done));
  rmSync(folder, { recursive: true });
});

const heads = ["--num-heads", "6"];
const run = async (words: readonly string[], more: Record<string, string> = {}) => {
  const outcome = await dino(words, { cwd: folder, environment: { ...environment, ...more } });
  return { ...outcome, last: outcome.stderr.trimEnd().split("\n").at(-1) };
};

test("takes published weights by their name, fetched once", { timeout: 300_000 }, async () => {
  const features = ["features", "photos", "--weights", "dino_vits16", ...heads];
  const first = await run([...features, "--out", "a"]);
  expect(first.code).toBe(0);
  expect(first.stderr).toContain("dino_vits16: fetching ");
  expect(first.stderr).toMatch(
    /dino_deitsmall16_pretrain.pth: from 127.0.0.1:\d+, SHA-256 [0-9a-f]{64}, kept as /,
  );
  expect(asked).toBe(1);

  const offline = await run([...features, "--out", "b"], { DINO_OFFLINE: "1" });
  expect(offline.code).toBe(0);
  expect(offline.stderr).not.toContain("fetching");
  const rows = (name: string) => readFileSync(join(folder, name, "features.npy"));
  expect(rows("b")).toEqual(rows("a"));
  expect(asked).toBe(1);

  const words: readonly (readonly string[])[] = [
    ["inspect", "dino_vits16", "--json"],
    ["convert", "dino_vits16", "--out", "vits16.safetensors", ...heads],
    ["attention", "photos/red/0.png", "--weights", "dino_vits16", "--image-size", "32", ...heads],
    ["eval", "knn", "--weights", "dino_vits16", "--train", "photos", "--k", "3", ...heads],
  ];
  for (const each of words) expect((await run(each)).code).toBe(0);
  expect(asked).toBe(1);

  const sizes = "--embed-dim 48 --depth 3 --num-heads 6 --epochs 1steps --warmup-epochs 0".split(
    " ",
  );
  const begin = ["--init-weights", "dino_vits16", "--output-dir", "begun"];
  const begun = await run(["train", "photos", ...tiny, ...sizes, ...begin]);
  expect(begun.code).toBe(0);
  expect(begun.stderr).toMatch(/dino_deitsmall16_pretrain.pth: begun with 42 tensors of it/);
  expect(readFileSync(join(folder, "begun/config.yaml"), "utf8")).toContain(
    "init-weights: dino_vits16\n",
  );
  expect(asked).toBe(1);
});

test("says what is published, what is announced, and what a mirror lacks", async () => {
  const inspect = async (name: string, more = {}) => {
    const outcome = await run(["inspect", name], more);
    expect(outcome.code).toBe(1);
    return outcome.last;
  };
  expect(await inspect("dino_vits32")).toMatch(
    /^dino: dino_vits32: expected a run or a file of weights, got nothing: published are dino_vits16, dino_vits8, .*dino_resnet50_linear$/,
  );
  expect(await inspect("dino_xcit_small_12_p16")).toBe(
    "dino: dino_xcit_small_12_p16: expected a ViT or a ResNet, got an XCiT, which is announced and not here yet",
  );
  expect(await inspect("dino_vitb16")).toMatch(
    /^dino: http.*: expected the file, got 404 Not Found$/,
  );
  expect(await inspect("dino_vitb16", { DINO_OFFLINE: "1" })).toMatch(
    /^dino: .*dino_vitbase16_pretrain.pth: expected the file of http.* there, as nothing is fetched offline, got none$/,
  );
});
