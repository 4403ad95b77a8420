/**
 * One kind of name and what another program calls it. `#` stands for a number, the same on both
 * sides and in the same order, and `*` for the last word: `weight`, `bias`, `running_mean`.
 */
export interface NameRule {
  /** The reference's name. */
  readonly ours: string;
  /** The other program's name, or several whose tensors, one behind the other along the first axis, are ours. */
  readonly theirs: string | readonly string[];
}

/** How another program names a network's tensors. Without rules the names are the reference's. */
export interface NameMap {
  /** Whose names they are, as reports say it. */
  readonly name: string;
  /** What its files have in front of all names. */
  readonly prefixes: readonly string[];
  readonly rules?: readonly NameRule[];
  /** Beginnings of the names, in its own words, that a backbone has no use for, such as a classifier. */
  readonly leftOut: readonly string[];
}

/** Where a file's tensor belongs: it is part `part` of `parts` of the tensor that we call `name`. */
export interface OurName {
  readonly name: string;
  readonly part: number;
  readonly parts: number;
}

/** What we call a tensor of another program's, or nothing where the map knows no such name. */
export function ourName({ rules }: NameMap, theirs: string): OurName | undefined {
  if (!rules) return { name: theirs, part: 0, parts: 1 };
  for (const rule of rules) {
    const templates = partsOf(rule);
    for (const [part, template] of templates.entries()) {
      const name = rewrite(theirs, template, rule.ours);
      if (name !== undefined) return { name, part, parts: templates.length };
    }
  }
  return undefined;
}

/** What another program calls our tensor: several names where it keeps it in parts; none where it has no such thing. */
export function theirNames({ rules }: NameMap, ours: string): readonly string[] | undefined {
  if (!rules) return [ours];
  for (const rule of rules) {
    const names = partsOf(rule).map((template) => rewrite(ours, rule.ours, template));
    if (names.every((name) => name !== undefined)) return names;
  }
  return undefined;
}

function partsOf({ theirs }: NameRule): readonly string[] {
  return typeof theirs === "string" ? [theirs] : theirs;
}

/** The name in the words of `to`, if it is one of `from`. */
function rewrite(name: string, from: string, to: string): string | undefined {
  const values = pattern(from).exec(name)?.slice(1);
  if (!values) return undefined;
  let next = 0;
  return to.replace(/[#*]/g, () => values[next++] as string);
}

const patterns = new Map<string, RegExp>();

function pattern(template: string): RegExp {
  let made = patterns.get(template);
  if (!made) {
    const text = template
      .replace(/[.]/g, "\\.")
      .replaceAll("#", "(\\d+)")
      .replaceAll("*", "([a-z_]+)");
    made = new RegExp(`^${text}$`);
    patterns.set(template, made);
  }
  return made;
}
