import { resolve } from "node:path";
import { expect, test } from "vitest";
import { enginesFolder } from "../../src/engines/node/tensorflow/engines-folder.ts";

const home = "/home/ada";

test.each<[NodeJS.Platform, Readonly<Record<string, string>>, string]>([
  ["linux", {}, "/home/ada/.local/share/dino/engines"],
  ["linux", { XDG_DATA_HOME: "/data" }, "/data/dino/engines"],
  ["darwin", {}, "/home/ada/Library/Application Support/dino/engines"],
  ["win32", { LOCALAPPDATA: "/home/ada/Local" }, "/home/ada/Local/dino/engines"],
  ["win32", {}, "/home/ada/AppData/Local/dino/engines"],
  ["linux", { DINO_ENGINES_DIR: "/engines", XDG_DATA_HOME: "/data" }, "/engines"],
  ["linux", { DINO_ENGINES_DIR: "engines" }, resolve("engines")],
])("on %s with %j", (platform, environment, expected) => {
  const folder = enginesFolder({ platform, environment, home });
  expect(folder.replaceAll("\\", "/")).toBe(expected);
});
