// Makes the pictures that the page brings along, in `generated`: the emoji of the quick start on one
// sheet, a few of them large, and a scene drawn for this page.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import sharp from "sharp";
import { emojiPictures } from "../../../tools/quick-start-pictures.mjs";

const folder = resolve(import.meta.dirname, "../generated");
/** Side of an emoji on the sheet, in pixels. */
const tile = 48;
const columns = 44;
const samples = ["fox", "octopus", "guitar", "hot beverage", "parrot"];

const emoji = emojiPictures();
const scene = readFileSync(resolve(import.meta.dirname, "scene.svg"));
const stamp = createHash("sha256")
  .update(readFileSync(import.meta.filename))
  .update(scene)
  .update(JSON.stringify(emoji.map(({ part, group, name }) => [part, group, name])))
  .digest("hex");

const stampFile = resolve(folder, "stamp");
if (!existsSync(stampFile) || readFileSync(stampFile, "utf8") !== stamp) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await writeScene();
  for (const name of samples) await writeSample(name);
  await writeSheet();
  writeFileSync(stampFile, stamp); // last: it says that all is there
}

async function writeScene() {
  await sharp(scene).webp({ quality: 88 }).toFile(resolve(folder, "scene.webp"));
}

async function writeSample(name) {
  const { file } = emoji.find((each) => each.name === name);
  const target = resolve(folder, `${name.replace(" ", "-")}.webp`);
  const background = { r: 255, g: 255, b: 255 };
  await sharp(file).resize(256).flatten({ background }).webp({ quality: 88 }).toFile(target);
}

/** Those to train on first, then those to test with; the list beside the sheet says which is what. */
async function writeSheet() {
  const ordered = ["train", "test"].flatMap((part) => emoji.filter((each) => each.part === part));
  const classes = [...new Set(ordered.map(({ group }) => group))];
  const tiles = await Promise.all(
    ordered.map(async ({ file }, i) => ({
      input: await sharp(file).resize(tile, tile).flatten({ background: "#fff" }).png().toBuffer(),
      left: (i % columns) * tile,
      top: Math.floor(i / columns) * tile,
    })),
  );
  const height = Math.ceil(ordered.length / columns) * tile;
  await sharp({ create: { width: columns * tile, height, channels: 3, background: "#fff" } })
    .composite(tiles)
    .webp({ quality: 80 })
    .toFile(resolve(folder, "emoji.webp"));
  const list = {
    tile,
    columns,
    training: ordered.filter(({ part }) => part === "train").length,
    classes: classes.map((slug) => slug.replaceAll("_", " and ")),
    labels: ordered.map(({ group }) => classes.indexOf(group)),
    names: ordered.map(({ name }) => name),
  };
  writeFileSync(resolve(folder, "emoji.json"), JSON.stringify(list));
}
