import { readdirSync, rmSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { addonPath, packagePath } from "@dino/backend/tensorflow";

/** Of TensorFlow's wheel, what the addon is built with and loads; the rest is a third of it. */
export function keepLibraries(installation: string): void {
  const python = join(installation, "python");
  const tensorflow = join(python, "tensorflow");
  for (const name of readdirSync(tensorflow)) {
    if (name === "include" || name.includes(".so")) continue;
    if (/^(LICENSE|THIRD_PARTY)/.test(name)) continue;
    rmSync(join(tensorflow, name), { recursive: true });
  }
  rmSync(join(python, "bin"), { recursive: true, force: true });
}

/** Removes what only the building needed: the headers, the sketch of the addon, Node's own. */
export function removeBuildFiles(installation: string): void {
  const packageFolder = join(installation, packagePath);
  const modules = join(installation, "npm", "node_modules");
  const needless = [
    join(installation, "python", "tensorflow", "include"),
    join(packageFolder, "deps", "include"),
    ...readdirSync(packageFolder)
      .filter((name) => name.startsWith("build-tmp"))
      .map((name) => join(packageFolder, name)),
    join(modules, `node-${process.platform}-${process.arch}`),
  ];
  for (const path of needless) rmSync(path, { recursive: true, force: true });
}

/** The bytes of each library that an installation loads, by its path in the installation. */
export function libraryBytes(installation: string): Readonly<Record<string, number>> {
  const found = [join(installation, packagePath, addonPath())];
  const look = (folder: string) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) look(path);
      else if (entry.isFile() && /\.so(\.|$)/.test(entry.name)) found.push(path);
    }
  };
  look(join(installation, "python"));
  return Object.fromEntries(
    found.map((path) => [relative(installation, path), statSync(path).size]),
  );
}

/** Bytes of all files in a folder. */
export function folderBytes(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
