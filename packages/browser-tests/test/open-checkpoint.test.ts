import { CheckpointError, httpSource, openCheckpoint } from "@dino/checkpoint";
import { expect, inject, test } from "vitest";
import { fileOf } from "./host.ts";

/** The first tensor's beginning and the second's, in the large files. */
const beginnings = { first: [0, 1, 2], second: [0.25, 1.25, 2.25] } as const;

/** A file that counts what is read of it. */
class CountedFile extends File {
  bytesRead = 0;
  override slice(start = 0, end = this.size): Blob {
    this.bytesRead += end - start;
    return super.slice(start, end);
  }
}

test.each(["large.safetensors", "large.pth"])(
  "reads of the file %s what is asked for",
  async (name) => {
    const file = new CountedFile([await fileOf(name)], name);
    const checkpoint = await openCheckpoint(file);
    expect(checkpoint.name).toBe(name);
    expect(checkpoint.tensors.get("second")).toMatchObject({ dtype: "F32", shape: [300, 1000] });
    expect(file.bytesRead).toBeLessThan(200_000); // of 2.4 MB
    for (const [tensor, beginning] of Object.entries(beginnings)) {
      const { shape, data } = await checkpoint.read(tensor);
      expect([shape, [...data.slice(0, 3)]]).toEqual([[300, 1000], beginning]);
    }
    const rows = await checkpoint.readRows("second", 299, 1);
    expect([rows.shape, rows.data[999]]).toEqual([[1, 1000], 299_999.25]);
  },
);

test.each([
  "corpus/pth/legacy-3.pth",
  "corpus/pth/zip-5.pth",
  "corpus/safetensors/small.safetensors",
])("reads %s from a Blob as from memory", async (name) => {
  const file = await fileOf(name);
  const fromBlob = await openCheckpoint(file.slice());
  const fromMemory = await openCheckpoint(new Uint8Array(await file.arrayBuffer()));
  expect(fromMemory.tensors.size).toBeGreaterThan(0);
  expect([...fromBlob.tensors]).toEqual([...fromMemory.tensors]);
  for (const tensor of fromMemory.tensors.keys()) {
    expect(await fromBlob.read(tensor)).toEqual(await fromMemory.read(tensor));
  }
});

test.each(["large.safetensors", "large.pth"])(
  "fetches of %s on a server what is asked for",
  async (name) => {
    const asked: string[] = [];
    const counted: typeof fetch = (url, init) => {
      asked.push(new Headers(init?.headers).get("range") as string);
      return fetch(url, init);
    };
    const source = await httpSource(`${inject("host")}/open/${name}`, { fetch: counted });
    const checkpoint = await openCheckpoint(source);
    const rows = await checkpoint.readRows("second", 150, 2);
    expect([rows.shape, [...rows.data.slice(0, 2)]]).toEqual([
      [2, 1000],
      [150_000.25, 150_001.25],
    ]);
    const bytes = asked.map((range) => {
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range) as unknown as [
        string,
        string,
        string,
      ];
      return Number(last) + 1 - Number(first);
    });
    expect(bytes.reduce((a, b) => a + b)).toBeLessThan(600_000); // of 2.4 MB
  },
);

test.each([
  [
    "whole",
    "expected bytes=0-131071, got the whole file: the server knows no ranges, so download it first",
  ],
  [
    "hidden",
    "expected bytes=0-131071, got no Content-Range: for a page, the server must name it in Access-Control-Expose-Headers",
  ],
  ["foreign", "expected bytes=0-131071, got Failed to fetch"],
])("says why a server that is %s does not do", async (manner, message) => {
  const url = `${inject("host")}/${manner}/large.pth`;
  await expect(httpSource(url)).rejects.toThrow(new CheckpointError(`${url}: ${message}`));
});

test("says what a file is that is no checkpoint", async () => {
  await expect(openCheckpoint(await fileOf("folder/notes.txt"))).rejects.toThrow(
    'notes.txt: expected a safetensors file or one of torch.save, got a file that begins with "no picture"',
  );
});
