import { copyFileSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";

const require = createRequire(import.meta.url);

/** Every how many-th emoji of a group is kept for testing. */
const testEvery = 5;

/**
 * Lays out the 3D emoji of npm packages as folders `train/<group>` and `test/<group>`, and tells
 * how many there are of each. Skin tones are left out: they are one picture several times.
 */
export function quickStartPictures(folder) {
  const groups = require("unicode-emoji-json/data-by-group.json");
  const assets = resolve(
    dirname(require.resolve("@lobehub/fluent-emoji-3d/package.json")),
    "assets",
  );
  const available = new Set(readdirSync(assets));
  const counts = { train: 0, test: 0 };
  rmSync(folder, { recursive: true, force: true });
  for (const { slug, emojis } of groups) {
    const files = emojis.map(({ emoji }) => fileOf(emoji, available)).filter(Boolean);
    for (const [i, file] of files.entries()) {
      const part = i % testEvery === 0 ? "test" : "train";
      mkdirSync(resolve(folder, part, slug), { recursive: true });
      copyFileSync(resolve(assets, file), resolve(folder, part, slug, file));
      counts[part]++;
    }
  }
  return counts;
}

/** Files are named by code points, with or without the variation selector. */
function fileOf(emoji, available) {
  const points = [...emoji].map((char) => char.codePointAt(0).toString(16).padStart(4, "0"));
  const names = [points, points.filter((point) => point !== "fe0f")].map(
    (p) => `${p.join("-")}.webp`,
  );
  return names.find((name) => available.has(name));
}
