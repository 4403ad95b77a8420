import { mkdirSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";

/** Writes `count` small pictures of each class to folders of their own: coloured, with some noise. */
export async function writePictures(
  folder: string,
  { classes = ["blue", "red"], count = 10 }: { classes?: readonly string[]; count?: number } = {},
): Promise<void> {
  const size = 40;
  for (const [label, name] of classes.entries()) {
    mkdirSync(join(folder, name), { recursive: true });
    for (let i = 0; i < count; i++) {
      const data = Uint8Array.from({ length: 3 * size * size }, (_, at) => {
        const noise = (at * 7919 + i * 104729 + label * 31) % 97;
        return at % 3 === label % 3 ? 150 + noise : noise;
      });
      const picture = sharp(data, { raw: { width: size, height: size, channels: 3 } });
      await picture.png().toFile(join(folder, name, `${i}.png`));
    }
  }
}
