import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, resolve } from "node:path";

const require = createRequire(import.meta.url);

const remedy = "install Chromium or Chrome, or name one by DINO_CHROMIUM=/path/to/it";

/**
 * The Chromium or Chrome that the browser's tests run on: the one that `DINO_CHROMIUM` names, one
 * on the machine, or the one that Playwright has downloaded; nothing where there is none.
 */
export function findChromium() {
  const named = process.env.DINO_CHROMIUM;
  if (named) return named;
  return onPath() ?? installed() ?? downloaded();
}

/**
 * Finds Chromium, or installs it: as root on Debian and Ubuntu by apt-get, elsewhere by Playwright's
 * own download. Says what it installs, and where nothing works, in one line, what to do.
 */
export function provideChromium() {
  const found = [findChromium()].find(starts) ?? fromApt() ?? fromPlaywright();
  if (found === undefined) console.log(`browser tests: no Chromium found; ${remedy}`);
  return found;
}

/**
 * The environment in which Dawn finds SwiftShader, the software GPU that comes with Chromium; none
 * where this Chromium has none. A process must be started with it.
 */
export function softwareGpu(chromium = findChromium()) {
  if (chromium === undefined) return {};
  const folders = [
    dirname(realpathSync(chromium)),
    "/usr/lib/chromium",
    "/usr/lib/chromium-browser",
  ];
  const folder = folders.find((each) => existsSync(resolve(each, "vk_swiftshader_icd.json")));
  if (folder === undefined) return {};
  const icd = resolve(folder, "vk_swiftshader_icd.json");
  return {
    DINO_SWIFTSHADER_ICD: icd,
    DINO_WEBGPU_ADAPTER: "SwiftShader",
    VK_ICD_FILENAMES: icd,
    // Beside the driver lies the loader that Dawn looks for.
    LD_LIBRARY_PATH: [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter),
  };
}

function onPath() {
  const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => resolve(folder, name))).find(isProgram);
}

function installed() {
  const programs = [process.env.PROGRAMFILES, process.env["PROGRAMFILES(X86)"]].filter(Boolean);
  return [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    ...programs.map((folder) => resolve(folder, "Google/Chrome/Application/chrome.exe")),
  ].find(isProgram);
}

function downloaded() {
  try {
    const file = require("playwright-core").chromium.executablePath();
    return isProgram(file) ? file : undefined;
  } catch {
    return undefined; // not installed yet, or no download for this system
  }
}

function fromApt() {
  if (process.getuid?.() !== 0 || !isDebian()) return undefined;
  console.log("browser tests: installing Chromium by apt-get …");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = (...args) =>
    spawnSync("apt-get", ["-qq", ...args], { env, stdio: ["ignore", "ignore", "inherit"] });
  const install = () => apt("install", "--yes", "--no-install-recommends", "chromium").status === 0;
  if (!install()) {
    apt("update");
    if (!install()) return undefined;
  }
  return [onPath()].find(starts);
}

function fromPlaywright() {
  console.log("browser tests: downloading Chromium by Playwright …");
  try {
    const cli = resolve(dirname(require.resolve("playwright-core/package.json")), "cli.js");
    const args = [cli, "install", "--no-shell", "chromium"];
    spawnSync(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"], timeout: 600_000 });
  } catch {
    return undefined;
  }
  return [downloaded()].find(starts);
}

/** Ubuntu, for one, has a program of this name that only says how to install it. */
function starts(file) {
  if (file === undefined) return false;
  const args = process.platform === "win32" ? [] : ["--version"];
  return args.length === 0 || spawnSync(file, args, { timeout: 60_000 }).status === 0;
}

function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isDebian() {
  try {
    return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync("/etc/os-release", "utf8"));
  } catch {
    return false;
  }
}
