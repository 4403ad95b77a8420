// Bundles tfjs-core's gradients into dist/gradients.js, or the file it is given. Whatever they use that tfjs-core exports is
// imported from there, so that a program has one tfjs-core; only what is private to it comes along.
// Its engine and its registries are singletons of the global object, however many copies there are.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { rolldown } from "rolldown";

const core = "@tensorflow/tfjs-core";
const root = dirname(createRequire(import.meta.url).resolve(`${core}/package.json`));
const entry = join(root, "dist/register_all_gradients.js");
const target = process.argv[2] ?? resolve(import.meta.dirname, "../dist/gradients.js");

const imports = /^(import|export) (\*|\* as \w+|\{[^}]*\}) from '(\.[^']*)';$/gm;

/** `a` or `a as b`, several of them in braces, as pairs. */
function pairs(clause) {
  return clause
    .slice(1, -1)
    .split(",")
    .map((part) => part.trim().split(" as "))
    .map(([name, alias = name]) => [name, alias]);
}

function pathOf(from, specifier) {
  return `${resolve(dirname(from), specifier)}.js`;
}

/** `file name` of every value that tfjs-core exports, to its public name; a namespace is called `*`. */
function publicNames(file, found = new Map()) {
  const namespaces = new Map();
  const source = readFileSync(file, "utf8");
  for (const [, keyword, clause, specifier] of source.matchAll(imports)) {
    const from = pathOf(file, specifier);
    if (keyword === "export") {
      if (clause === "*") publicNames(from, found);
      else for (const [name, alias] of pairs(clause)) found.set(`${from} ${name}`, alias);
    } else if (clause.startsWith("* as ")) {
      namespaces.set(clause.slice("* as ".length), from);
    }
  }
  for (const [, clause] of source.matchAll(/^export (\{[^}]*\});$/gm)) {
    for (const [name, alias] of pairs(clause)) {
      found.set(namespaces.has(name) ? `${namespaces.get(name)} *` : `${file} ${name}`, alias);
    }
  }
  for (const [, name] of source.matchAll(
    /^export (?:const|let|class|(?:async )?function\*?) (\w+)/gm,
  )) {
    found.set(`${file} ${name}`, name);
  }
  return found;
}

const known = publicNames(join(root, "dist/index.js"));
const engine = join(root, "dist/engine.js");

/** Imports of what is public, from tfjs-core; of the rest, from where it was. */
function rewrite(file, keyword, clause, specifier) {
  const from = pathOf(file, specifier);
  const original = `${keyword} ${clause} from '${specifier}';`;
  if (keyword === "export") return original;
  if (clause.startsWith("* as ")) {
    const name = known.get(`${from} *`);
    return name
      ? `import { ${name} as ${clause.slice("* as ".length)} } from '${core}';`
      : original;
  }
  return pairs(clause)
    .map(([name, alias]) => {
      if (from === engine && name === "ENGINE") {
        return `import { engine as engine_ } from '${core}'; const ${alias} = engine_();`;
      }
      const exported = known.get(`${from} ${name}`);
      return exported
        ? `import { ${exported} as ${alias} } from '${core}';`
        : `import { ${name} as ${alias} } from '${specifier}';`;
    })
    .join(" ");
}

const bundle = await rolldown({
  input: entry,
  external: [core],
  plugins: [
    {
      name: "public-imports",
      transform(code, id) {
        return code.replace(imports, (_, ...parts) => rewrite(id, ...parts.slice(0, 3)));
      },
    },
  ],
  // The rest has no effects of its own.
  treeshake: { moduleSideEffects: [{ test: /register_all_gradients/, sideEffects: true }] },
});
const { output } = await bundle.generate({
  format: "esm",
  minify: { compress: false, mangle: false },
});
const code = output[0].code.replace(/\/\*\*[\s\S]*?\*\//g, "");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
writeFileSync(
  target,
  `/**
 * The gradients of ${core} ${version}.
 * Copyright Google LLC. Licensed under the Apache License, Version 2.0:
 * http://www.apache.org/licenses/LICENSE-2.0
 */
${code}`,
);
if (process.argv[2] === undefined) {
  const types = target.replace(/js$/, "d.ts");
  writeFileSync(types, "export {};\n");
  for (const file of [target, types]) rmSync(`${file}.map`, { force: true }); // of what was there before
}
