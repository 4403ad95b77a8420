import { chmodSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { crop, resizeShortSide } from "@dino/augmentations";
import { DataError } from "@dino/data";
import { readImage } from "@dino/data/node";
import type { Pixels } from "@dino/ops";
import sharp from "sharp";
import { expect, test } from "vitest";
import { fileSystemReason } from "../src/node/decode.ts";
import { cmykTiff } from "./cmyk-tiff.ts";
import { drawn, sharpOf, temporaryFolder, write } from "./pictures.ts";

const folder = temporaryFolder();
const picture = drawn(21, 14);
const at = (name: string) => join(folder, name);

/** One pixel's bytes. */
const pixel = ({ data }: Pixels, index = 0) => [...data.subarray(3 * index, 3 * index + 3)];

test.each(["a.png", "a.tif", "a.TIFF"])("reads %s exactly", async (name) => {
  const lossless = sharpOf(picture);
  await write(folder, {
    [name]: name.endsWith("png") ? lossless.png() : lossless.tiff({ compression: "lzw" }),
  });
  expect(await readImage(at(name))).toEqual(picture);
});

test("reads lossless WebP exactly", async () => {
  await write(folder, { "b.webp": sharpOf(picture).webp({ lossless: true }) });
  expect(await readImage(at("b.webp"))).toEqual(picture);
});

test.each(["c.jpg", "c.jpeg", "c.gif", "c.avif", "c.webp"])("reads %s", async (name) => {
  const grey = { width: 9, height: 6, data: new Uint8Array(3 * 9 * 6).fill(128) };
  await write(folder, { [name]: sharpOf(grey) });
  const { width, height, data } = await readImage(at(name));
  expect([width, height, data.length]).toEqual([9, 6, data.length]);
  for (const byte of data) expect(Math.abs(byte - 128)).toBeLessThanOrEqual(2);
});

test("gives plain bytes, which nothing else holds", async () => {
  const { data } = await readImage(at("a.png"));
  expect(data.constructor).toBe(Uint8Array);
  expect(data.buffer).toBeInstanceOf(ArrayBuffer);
});

test("takes the first frame of an animation", async () => {
  const frames = [drawn(8, 8, 1), drawn(8, 8, 2)].map((frame) => sharpOf(frame).png().toBuffer());
  const animation = sharp(await Promise.all(frames), { join: { animated: true } });
  await write(folder, { "d.webp": animation.webp({ lossless: true }) });
  expect(await readImage(at("d.webp"))).toEqual(drawn(8, 8, 1));
});

test.each([
  [1, 2, 1, [10, 200]],
  [2, 2, 1, [200, 10]],
  [3, 2, 1, [200, 10]],
  [4, 2, 1, [10, 200]],
  [5, 1, 2, [10, 200]],
  [6, 1, 2, [10, 200]],
  [7, 1, 2, [200, 10]],
  [8, 1, 2, [200, 10]],
])("turns a picture of orientation %i upright", async (orientation, width, height, values) => {
  const lying = sharpOf({ width: 2, height: 1, data: Uint8Array.of(10, 10, 10, 200, 200, 200) });
  await write(folder, { "e.png": lying.withMetadata({ orientation }) });
  const data = Uint8Array.from(values.flatMap((value) => [value, value, value]));
  expect(await readImage(at("e.png"))).toEqual({ width, height, data });
});

test("makes three channels of a grey picture", async () => {
  await write(folder, { "f.png": sharpOf(picture).toColourspace("b-w") });
  expect((await sharp(at("f.png")).metadata()).channels).toBe(1);
  const { data } = await readImage(at("f.png"));
  expect(data.length).toBe(picture.data.length);
  for (let i = 0; i < data.length; i += 3) {
    expect([data[i + 1], data[i + 2]]).toEqual([data[i], data[i]]);
  }
});

test.each([
  ["rgb16", 3],
  ["grey16", 1],
] as const)("keeps the upper 8 of 16 bits of %s", async (space, channels) => {
  const values = Uint16Array.from({ length: 5 * 4 * channels }, (_, i) => i * 1000);
  const deep = sharp(values, { raw: { width: 5, height: 4, channels } }).toColourspace(space);
  await write(folder, { "g.png": deep });
  expect((await sharp(at("g.png")).metadata()).depth).toBe("ushort");
  const { data } = await readImage(at("g.png"));
  data.forEach((byte, i) => {
    expect(byte).toBe((values[channels === 3 ? i : Math.floor(i / 3)] as number) >> 8);
  });
});

test("lays what is transparent on white", async () => {
  const rgba = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 255, 200, 100, 50, 255, 0, 255, 0, 51);
  const icon = sharp(rgba, { raw: { width: 4, height: 1, channels: 4 } });
  await write(folder, { "h.png": icon, "h.webp": icon.clone().webp({ lossless: true }) });
  for (const name of ["h.png", "h.webp"]) {
    const whole = await readImage(at(name));
    expect([0, 1, 2, 3].map((i) => pixel(whole, i))).toEqual([
      [255, 255, 255],
      [0, 0, 0],
      [200, 100, 50],
      [204, 255, 204],
    ]);
  }
});

// The values on the right are Pillow 13's `Image.new("CMYK", (1, 1), ink).convert("RGB")`.
test.each([
  [
    [0, 0, 0, 0],
    [255, 255, 255],
  ],
  [
    [255, 0, 0, 0],
    [0, 255, 255],
  ],
  [
    [100, 50, 200, 30],
    [137, 181, 49],
  ],
  [
    [7, 255, 128, 200],
    [53, 0, 27],
  ],
  [
    [1, 2, 3, 255],
    [0, 0, 0],
  ],
])("converts ink %j as Pillow does", async (ink, rgb) => {
  await write(folder, { "i.tif": cmykTiff(ink) });
  expect(pixel(await readImage(at("i.tif")))).toEqual(rgb);
});

test("does not apply a colour profile", async () => {
  await write(folder, { "j.png": sharpOf(picture).withIccProfile("p3") });
  const stored = await sharp(at("j.png"), { ignoreIcc: true }).raw().toBuffer();
  expect((await sharp(at("j.png")).metadata()).icc).toBeDefined();
  expect((await readImage(at("j.png"))).data).toEqual(new Uint8Array(stored));
});

test("resizes the shorter side, then cuts right and bottom to multiples", async () => {
  const resized = resizeShortSide(picture, 10); // 15 x 10
  expect(await readImage(at("a.png"), { shortSide: 10 })).toEqual(resized);
  expect(await readImage(at("a.png"), { shortSide: 10, multipleOf: 4 })).toEqual(
    crop(resized, { top: 0, left: 0, width: 12, height: 8 }),
  );
  expect(await readImage(at("a.png"), { multipleOf: 7 })).toEqual(picture);
});

const jpeg = await sharpOf(drawn(60, 40)).jpeg().toBuffer();

test.each([
  ["none.jpg", undefined, "does not exist"],
  ["zero.jpg", new Uint8Array(0), "the file is empty"],
  ["text.jpg", new TextEncoder().encode("hello"), "Input file contains unsupported image format"],
  ["half.jpg", jpeg.subarray(0, jpeg.length >> 1), "VipsJpeg: premature end of JPEG image"],
  ["head.jpg", jpeg.subarray(0, 30), "VipsJpeg: premature end of JPEG image"],
])("says why %s cannot be read", async (name, content, reason) => {
  if (content) await write(folder, { [name]: content });
  const error = await readImage(at(name)).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(DataError);
  expect(error).toMatchObject({ message: `${at(name)}: ${reason}`, subject: at(name), reason });
});

test("opens a picture that has stray bytes before its end", async () => {
  const stray = Buffer.concat([jpeg.subarray(0, -2), Buffer.of(1, 2, 3), jpeg.subarray(-2)]);
  await write(folder, { "stray.jpg": stray, "clean.jpg": jpeg });
  expect(await readImage(at("stray.jpg"))).toEqual(await readImage(at("clean.jpg")));
});

test("says that a folder is no picture", async () => {
  mkdirSync(at("folder.jpg"));
  await expect(readImage(at("folder.jpg"))).rejects.toThrow(
    `${at("folder.jpg")}: is a folder, not a picture`,
  );
});

test("says that permission is missing, which a superuser never lacks", async () => {
  await write(folder, { "secret.jpg": jpeg });
  chmodSync(at("secret.jpg"), 0);
  const reading = readImage(at("secret.jpg"));
  if (process.getuid?.() === 0) {
    await expect(reading).resolves.toMatchObject({ width: expect.any(Number) });
  } else {
    await expect(reading).rejects.toThrow(`${at("secret.jpg")}: permission denied`);
  }
});

test.each([
  ["ENOENT", "does not exist"],
  ["ENOTDIR", "is not a folder"],
  ["EACCES", "permission denied"],
  ["EPERM", "permission denied"],
  ["EIO", "in the system's words"],
])("puts %s into words", (code, words) => {
  const error = Object.assign(new Error("in the system's words"), { code });
  expect(fileSystemReason(error)).toBe(words);
});

test("says when a picture is smaller than a multiple, and what an option may be", async () => {
  await expect(readImage(at("a.png"), { multipleOf: 16 })).rejects.toThrow(
    `${at("a.png")}: 21 x 14 pixels are less than one multiple of 16`,
  );
  await expect(readImage(at("a.png"), { shortSide: 0 })).rejects.toThrow(
    "shortSide: expected an integer of at least 1, got 0",
  );
});

test("leaves files alone", () => {
  expect(readFileSync(at("clean.jpg")).equals(jpeg)).toBe(true);
});
