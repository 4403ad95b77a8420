import { CheckpointError, quote } from "./checkpoint-error.ts";

/**
 * Throws where `JSON.parse` would be lenient: at a key that stands twice in one object, of which
 * it keeps the last, and at nesting deeper than `depth`. Anything else that is wrong with the text
 * is left to the parser.
 */
export function assertStrictObject(file: string, text: string, depth: number): void {
  const open: (Set<string> | undefined)[] = []; // the keys so far of each open object; none for an array
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === "{" || character === "[") {
      open.push(character === "{" ? new Set() : undefined);
      if (open.length > depth) {
        throw new CheckpointError(
          `${file}: expected a header of objects at most ${depth} deep, got more at character ${i}`,
        );
      }
    } else if (character === "}" || character === "]") {
      open.pop();
    } else if (character === '"') {
      const end = endOfString(text, i);
      const keys = open.at(-1);
      if (keys && followedByColon(text, end)) addKey(file, keys, text.slice(i, end));
      i = end - 1;
    }
  }
}

/** Adds a key, still in its quotes, that must be new. */
function addKey(file: string, keys: Set<string>, literal: string): void {
  let key: string;
  try {
    key = JSON.parse(literal);
  } catch {
    return; // the parser will say what is wrong with it
  }
  if (/\p{Surrogate}/u.test(key)) {
    throw new CheckpointError(
      `${file}: expected names in Unicode, got half a pair in ${quote(key)}`,
    );
  }
  if (keys.has(key)) {
    throw new CheckpointError(
      `${file}: expected each name once in the header, got ${quote(key)} twice`,
    );
  }
  keys.add(key);
}

/** Where the string that starts at `start` ends: behind its closing quote. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === '"') return i + 1;
  }
  return text.length;
}

function followedByColon(text: string, at: number): boolean {
  let i = at;
  while (text[i] === " " || text[i] === "\n" || text[i] === "\r" || text[i] === "\t") i++;
  return text[i] === ":";
}
