import { copyFileSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, resolve } from "node:path";

const require = createRequire(import.meta.url);

/** Every how many-th emoji of a group is kept for testing. */
const testEvery = 5;

/**
 * Lays out the 3D emoji of npm packages as folders `train/<group>` and `test/<group>`, and tells
 * how many there are of each.
 */
export function quickStartPictures(folder) {
  const counts = { train: 0, test: 0 };
  rmSync(folder, { recursive: true, force: true });
  for (const { part, group, file } of emojiPictures()) {
    mkdirSync(resolve(folder, part, group), { recursive: true });
    copyFileSync(file, resolve(folder, part, group, basename(file)));
    counts[part]++;
  }
  return counts;
}

/**
 * The 3D emoji by group: to train on or to test with, name and file. Skin tones are left out: they
 * are one picture several times.
 */
export function emojiPictures() {
  const groups = require("unicode-emoji-json/data-by-group.json");
  const assets = resolve(
    dirname(require.resolve("@lobehub/fluent-emoji-3d/package.json")),
    "assets",
  );
  const available = new Set(readdirSync(assets));
  return groups.flatMap(({ slug: group, emojis }) =>
    emojis
      .map(({ emoji, name }) => ({ name, file: fileOf(emoji, available) }))
      .filter(({ file }) => file !== undefined)
      .map(({ name, file }, i) => ({
        part: i % testEvery === 0 ? "test" : "train",
        group,
        name,
        file: resolve(assets, file),
      })),
  );
}

/** Files are named by code points, with or without the variation selector. */
function fileOf(emoji, available) {
  const points = [...emoji].map((char) => char.codePointAt(0).toString(16).padStart(4, "0"));
  const names = [points, points.filter((point) => point !== "fe0f")].map(
    (p) => `${p.join("-")}.webp`,
  );
  return names.find((name) => available.has(name));
}
