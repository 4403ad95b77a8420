import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { corpus, type Digest, golden, goldensFolder } from "@dino/testing";
import { afterAll, expect, test } from "vitest";
import { sharedDino } from "./shared-dino.ts";

const dino = sharedDino();
interface Inspected {
  readonly format: string;
  readonly tensors: readonly {
    readonly name: string;
    readonly dtype: string;
    readonly shape: readonly number[];
    readonly l2?: number;
    readonly mean?: number | null;
  }[];
  readonly args: unknown;
  readonly data: Readonly<Record<string, unknown>>;
}

interface CheckpointsGolden {
  readonly epoch: number;
  readonly args: unknown;
  readonly student: Readonly<Record<string, Digest>>;
}

const folder = mkdtempSync(join(tmpdir(), "dino-cli-inspect-"));
afterAll(() => rmSync(folder, { recursive: true }));
const everything = corpus("pth/zip-4.pth");
writeFileSync(join(folder, "everything.pth"), everything);
writeFileSync(join(folder, "class.pth"), corpus("pth/refused-class.pth"));

async function inspect(...words: string[]): Promise<Inspected> {
  const outcome = await dino(["inspect", ...words, "--json"], { cwd: folder });
  expect(outcome).toMatchObject({ code: 0, stderr: "" });
  expect(outcome.stdout.trimEnd()).not.toContain("\n");
  return JSON.parse(outcome.stdout);
}

const figures = golden<CheckpointsGolden>("checkpoints");

test.each(["dino_zip.pth", "dino_legacy.pth"])("gives the norms and means of %s", async (name) => {
  const path = resolve(goldensFolder(), "checkpoints", name);
  const { format, tensors, args, data } = await inspect(path, "--values");
  expect(format).toBe("pytorch");
  expect(args).toEqual(figures.args);
  expect(data.epoch).toBe(figures.epoch);
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  for (const [key, digest] of Object.entries(figures.student)) {
    const { l2 = Number.NaN, mean } = byName.get(`student.module.${key}`) ?? {};
    expect(Math.abs(l2 - digest.l2) / digest.l2).toBeLessThan(1e-6);
    expect(mean).toBeCloseTo(digest.mean, 6);
  }
});

test("prints data of every kind as JSON, and no figures unless asked for", async () => {
  const { tensors, args, data } = await inspect("everything.pth");
  expect(tensors[0]).toEqual({ name: "contiguous", dtype: "F32", shape: [2, 3, 4] });
  expect(args).toMatchObject({ arch: "vit_small", output: "/checkpoint/runs" });
  expect(data).toMatchObject({
    integers: [0, 255, 65535, -1, 2 ** 40, "-9223372036854775808", "1180591620717411303424"],
    floats: [0.1, "Infinity", "-Infinity"],
    bytes: "2 bytes",
    list: [null, 2],
  });
  const values = await inspect("everything.pth", "--values");
  const named = (name: string) => values.tensors.find((tensor) => tensor.name === name);
  expect(named("int64")).toMatchObject({ l2: Math.sqrt(14), mean: 1.5 });
  expect(named("bool")).toMatchObject({ l2: Math.sqrt(3), mean: 0.75 });
  expect(named("scalar")).toMatchObject({ l2: 3.5, mean: 3.5 });
  expect(named("empty")).toMatchObject({ l2: 0, mean: null });
});

test("prints one line a tensor for people", async () => {
  const { code, stdout } = await dino(["inspect", "everything.pth"], { cwd: folder });
  expect(code).toBe(0);
  expect(stdout).toContain("\nhalf_permuted  F16   [3, 2, 4]\n");
  expect(stdout).toContain('\nargs.arch: "vit_small"\n');
  expect(stdout).toMatch(/\n28 tensors, 202 numbers\n$/);
});

test("reads a file on a server by ranges", async () => {
  const server = createServer((request, response) => {
    const [, start] = /^bytes=(\d+)-/.exec(request.headers.range ?? "") ?? [];
    const part = everything.subarray(Number(start));
    const place = `bytes ${start}-${everything.length - 1}/${everything.length}`;
    response.writeHead(206, { "content-range": place }).end(part);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const { tensors } = await inspect(`http://127.0.0.1:${port}/everything.pth`);
  expect(tensors).toHaveLength(28);
  server.close();
});

test("names the class that a file asks for and that was not run", async () => {
  const outcome = await dino(["inspect", "class.pth", "--json"], { cwd: folder });
  expect(outcome).toEqual({
    code: 1,
    stdout: "",
    stderr:
      'dino: class.pth: expected only globals that stand for data, got "__main__.Unknown", which is not among them and was not run\n',
  });
});
