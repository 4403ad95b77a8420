import fc from "fast-check";
import { expect, test } from "vitest";
import { ppmStream } from "../src/frames/ppm-stream.ts";
import { attentionNames } from "../src/model/attention-pictures.ts";
import { fitPicture, imageSize, resizePicture } from "../src/model/image-size.ts";
import { point, shares } from "../src/model/point.ts";
import { some } from "../src/settings/kinds.ts";

const noise = (width: number, height: number) => ({
  width,
  height,
  data: Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 89 + 17) % 251),
});

const ppm = ({ width, height, data }: ReturnType<typeof noise>) =>
  Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), data]);

async function* cut(bytes: Uint8Array, lengths: readonly number[]) {
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length] as number;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

test("reads pictures out of a stream, wherever it is cut", async () => {
  const pictures = [noise(5, 4), noise(31, 2), noise(1, 1)];
  const bytes = Buffer.concat(pictures.map(ppm));
  const lengths = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 9 });
  await fc.assert(
    fc.asyncProperty(lengths, async (lengths) => {
      expect(await all(ppmStream(cut(bytes, lengths)))).toEqual(pictures);
    }),
  );
  expect(await all(ppmStream(cut(new Uint8Array(0), [1])))).toEqual([]);
});

test("says what is wrong with a stream", async () => {
  const bytes = ppm(noise(5, 4));
  await expect(all(ppmStream(cut(bytes.subarray(0, 40), [7])))).rejects.toThrow(
    "expected a whole frame at the end, got 40 bytes of one",
  );
  await expect(all(ppmStream(cut(Buffer.from("no picture"), [3])))).rejects.toThrow(
    "expected frames as binary PPM, got something else",
  );
});

test("brings pictures to the size that is asked for, in whole patches", () => {
  const size = (text: string) => {
    const read = imageSize.read(text);
    if (!read) throw new Error(`expected ${text} to be a size`);
    expect(imageSize.read(imageSize.show(read))).toEqual(read);
    const { width, height } = fitPicture(noise(60, 37), read, 8);
    return `${width} x ${height}`;
  };
  expect(size("original")).toBe("56 x 32");
  expect(size("20")).toBe("32 x 16");
  expect(size("41,33")).toBe("32 x 40");
  expect(size("480 640")).toBe("640 x 480");
  for (const text of ["", "0", "-3", "12.5", "3,4,5", "a", "12,", "9999999"]) {
    expect(imageSize.read(text)).toBeUndefined();
  }
  const whole = noise(16, 24);
  expect(fitPicture(whole, "original", 8)).toBe(whole);
  expect(() => fitPicture(noise(60, 7), "original", 8)).toThrow(
    "expected at least one patch of 8 x 8 pixels, got 60 x 7",
  );
  expect(resizePicture(noise(60, 37), { shortSide: 20 })).toMatchObject({ width: 32, height: 20 });
});

test("reads points in pixels and in percent", () => {
  expect(point.read("320, 180")).toEqual({ x: 320, y: 180, unit: "pixels" });
  expect(point.read("40%,25.5%")).toEqual({ x: 40, y: 25.5, unit: "percent" });
  for (const text of ["", "3", "3,4%", "-1,2", "a,b"]) expect(point.read(text)).toBeUndefined();
  const picture = { width: 640, height: 360 };
  expect(shares({ x: 320, y: 90, unit: "pixels" }, picture)).toEqual({ x: 0.5, y: 0.25 });
  expect(shares({ x: 50, y: 25, unit: "percent" }, picture)).toEqual({ x: 0.5, y: 0.25 });
  expect(shares({ x: 640, y: 90, unit: "pixels" }, picture)).toBeUndefined();
  expect(shares({ x: 100, y: 0, unit: "percent" }, picture)).toBeUndefined();
});

test("names the pictures of some kinds", () => {
  const kinds = some(["head", "head-mask", "mean", "sheet"]);
  expect(kinds.read("sheet,head")).toEqual(["head", "sheet"]);
  expect(kinds.read("head,all")).toBeUndefined();
  expect(attentionNames(["sheet", "head-mask", "mean"], 2)).toEqual([
    "head0-mask",
    "head1-mask",
    "mean",
    "sheet",
  ]);
});
