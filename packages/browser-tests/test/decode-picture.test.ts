import { DataError } from "@dino/data";
import { decodePicture } from "@dino/data/browser";
import type { Pixels } from "@dino/ops";
import { expect, test } from "vitest";
import { askWorker } from "./ask-worker.ts";
import { decodedByNode, fileOf } from "./host.ts";

const decoded = async (name: string) => decodePicture(await fileOf(name), name);

/** How far the two are apart at most, in levels of 255. */
function furthest(a: Pixels, b: Pixels): number {
  expect([a.width, a.height]).toEqual([b.width, b.height]);
  return a.data.reduce(
    (most, byte, i) => Math.max(most, Math.abs(byte - (b.data[i] as number))),
    0,
  );
}

test.each([
  "drawn.png",
  "drawn.webp",
  "drawn.gif",
  "grey.png",
  "profile.png",
  "animated.webp",
  "corpus/images/rgb.png",
  "corpus/images/palette.png",
  "corpus/images/rgb.gif",
])("reads %s as Node does, to the byte", async (name) => {
  expect(await decoded(name)).toEqual(await decodedByNode(name));
});

test.each([
  ["corpus/images/rgb.jpg", 2],
  ["corpus/images/grey.jpg", 2],
  ["corpus/images/rgb.webp", 2],
  ["corpus/images/cmyk.jpg", 2],
  ["transparent.png", 1],
  ["transparent.webp", 1],
] as const)("reads %s as Node does, within %i", async (name, levels) => {
  expect(furthest(await decoded(name), await decodedByNode(name))).toBeLessThanOrEqual(levels);
});

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  "turns a JPEG of orientation %i upright",
  async (orientation) => {
    const name = `turned-${orientation}.jpg`;
    const picture = await decoded(name);
    expect([picture.width, picture.height]).toEqual(orientation < 5 ? [16, 8] : [8, 16]);
    expect(furthest(picture, await decodedByNode(name))).toBeLessThanOrEqual(2);
  },
);

test("turns a PNG upright", async () => {
  expect(await decoded("turned-6.png")).toEqual(await decodedByNode("turned-6.png"));
});

test("reads the same in a worker", async () => {
  const file = await fileOf("turned-6.jpg");
  const there = await askWorker<Pixels>({ decode: file });
  expect(there).toEqual(await decodePicture(file));
});

test.each([
  [new Blob([]), "the file is empty"],
  [new Blob(["no picture"]), "is no picture that this browser reads"],
  [
    new Blob(["<svg xmlns='http://www.w3.org/2000/svg'/>"], { type: "image/svg+xml" }),
    "is an SVG, which this browser does not turn into pixels here; save it as a PNG",
  ],
])("says by name what it cannot read", async (file, reason) => {
  const error = await decodePicture(file, "cats/1.png").catch((error: unknown) => error);
  expect(error).toBeInstanceOf(DataError);
  expect((error as DataError).message).toBe(`cats/1.png: ${reason}`);
});
