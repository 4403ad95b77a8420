import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { drawn } from "../test/drawn.ts";

const raw = (seed = 0): Sharp => {
  const { width, height, data } = drawn(24, 16, seed);
  return sharp(data, { raw: { width, height, channels: 3 } });
};

/** Writes picture files below a folder, of every kind that a page must read as Node does. */
export async function writePictures(folder: string): Promise<void> {
  const rgba = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 255, 200, 100, 50, 255, 0, 255, 0, 51);
  const icon = sharp(rgba, { raw: { width: 4, height: 1, channels: 4 } });
  const frames = await Promise.all([raw(1), raw(2)].map((frame) => frame.png().toBuffer()));
  const animation = sharp(frames, { join: { animated: true } });
  // One value a block, so that JPEG's own rounding is all that two decoders may differ by.
  const blocks = sharp({ create: { width: 16, height: 8, channels: 3, background: "#c83c28" } });
  const corner = { create: { width: 8, height: 8, channels: 3, background: "#1e5ac8" } } as const;
  const lying = await blocks
    .composite([{ input: corner, left: 0, top: 0 }])
    .png()
    .toBuffer();
  const turned = (orientation: number) => sharp(lying).withMetadata({ orientation });

  const files: Record<string, Sharp> = {
    "drawn.png": raw().png(),
    "drawn.webp": raw().webp({ lossless: true }),
    "drawn.gif": sharp(lying).gif(),
    "grey.png": raw().toColourspace("b-w").png(),
    "profile.png": raw().withIccProfile("p3").png(),
    "transparent.png": icon.png(),
    "transparent.webp": icon.clone().webp({ lossless: true }),
    "animated.webp": animation.webp({ lossless: true }),
    "folder/cats/1.png": raw(1).png(),
    "folder/cats/deep/2.webp": raw(2).webp(),
    "folder/dogs/3.jpg": raw(3).jpeg(),
    "turned-6.png": turned(6).png(),
  };
  for (let orientation = 1; orientation <= 8; orientation++) {
    files[`turned-${orientation}.jpg`] = turned(orientation).jpeg({ quality: 95 });
  }
  for (const [name, file] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    await file.toFile(join(folder, name));
  }
  mkdirSync(join(folder, "many"));
  for (let i = 0; i < 130; i++) writeFileSync(join(folder, `many/${i}.png`), String(i));
  writeFileSync(join(folder, "folder/notes.txt"), "no picture");
  writeFileSync(join(folder, "folder/dogs/broken.png"), "no picture either");
}
