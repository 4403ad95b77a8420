import { Option } from "commander";
import { UsageError } from "../errors.ts";
import * as kinds from "./kinds.ts";
import type { SettingName } from "./settings.ts";
import { flagOf, settingNames, table } from "./table.ts";

/** Other names of flags. */
const aliases: Readonly<Record<string, string>> = {
  workers: "num-workers",
  "pretrained-weights": "weights",
  "nb-knn": "k",
};

/** Flags of the reference that mean nothing here, and what to do instead. */
const refused: Readonly<Record<string, string>> = {
  "dist-url": "one process uses the whole machine, so there is no address to meet at: leave it out",
  "local-rank": "one process uses the whole machine, so there are no ranks: leave it out",
  "use-cuda": "the engine decides where features live: choose one by --backend",
};

/** Flags that take two numbers: the words after them become one. */
const pairs: readonly string[] = ["global-crops-scale", "local-crops-scale", "image-size"];

/**
 * A command line as the parser takes it: underscores in flags become hyphens, other names the
 * ones that are meant, and pairs of numbers one word. What the reference has and this program has
 * not is a `UsageError` with a hint.
 */
export function normalizeFlags(words: readonly string[]): readonly string[] {
  const result: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    if (word === "--") return [...result, ...words.slice(i)];
    const match = /^--([A-Za-z][\w-]*)(=[\s\S]*)?$/.exec(word);
    if (!match) {
      result.push(word);
      continue;
    }
    const spelt = (match[1] as string).replaceAll("_", "-");
    const name = aliases[spelt] ?? spelt;
    const hint = refused[name];
    if (hint) throw new UsageError(`--${name}: ${hint}`);
    const value = match[2]?.slice(1) ?? "";
    if (name === "use-fp16") {
      const text = match[2] === undefined ? (words[++i] ?? "") : value;
      result.push("--precision", precisionOf(text));
    } else if (pairs.includes(name) && match[2] === undefined && isNumber(words[i + 2])) {
      result.push(`--${name}=${words[i + 1]} ${words[i + 2]}`);
      i += 2;
    } else {
      result.push(`--${name}${match[2] ?? ""}`);
    }
  }
  return result;
}

/** The reference's half precision, off or on: what half there is here is bf16. */
function precisionOf(useFp16: string): string {
  const half = kinds.boolean.read(useFp16);
  if (half !== undefined) return half ? "bf16" : "fp32";
  throw new UsageError(
    `--use-fp16: expected ${kinds.boolean.expected}, got ${JSON.stringify(useFp16)}`,
  );
}

function isNumber(word: string | undefined): boolean {
  return word !== undefined && /^[+-]?[\d.]+(e[+-]?\d+)?$/i.test(word);
}

/** The flags of settings, in the help under their groups. */
export function settingOptions(names: readonly SettingName[] = settingNames): readonly Option[] {
  return names.map((name) => {
    const { kind, help, group } = table[name];
    const shown = (kind as { show(value: unknown): string }).show(table[name].default);
    const option = new Option(`--${flagOf(name)} <${kind.placeholder}>`, `${help} (${shown})`);
    return option.helpGroup(`${group}:`);
  });
}
