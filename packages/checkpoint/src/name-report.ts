import type { Checkpoint } from "./checkpoint.ts";
import type { NamedWeights } from "./names/named-weights.ts";
import { reference } from "./names/reference.ts";

/** How the names under a prefix differ from those of a module. */
export interface Mismatch {
  /** The module's names that the file lacks. */
  readonly missing: readonly string[];
  /** The file's names, whole, that the module lacks. */
  readonly unexpected: readonly string[];
  readonly reshaped: readonly Reshaped[];
}

/** A name whose shape differs. */
export interface Reshaped {
  readonly name: string;
  readonly expected: Shape;
  readonly got: Shape;
}

type Shape = readonly number[];

export function compareNames(
  shapes: Readonly<Record<string, Shape>>,
  { tensors, sources, unknown }: NamedWeights,
): Mismatch {
  const missing: string[] = [];
  const reshaped: Reshaped[] = [];
  for (const [name, expected] of Object.entries(shapes)) {
    const got = tensors.get(name)?.shape;
    if (!got) {
      if (!isBatchCounter(name)) missing.push(name);
    } else if (!sameShape(expected, got)) {
      reshaped.push({ name, expected, got });
    }
  }
  const surplus = [...tensors.keys()].filter(
    (name) => !Object.hasOwn(shapes, name) && !isBatchCounter(name),
  );
  const unexpected = [...surplus.flatMap((name) => sources.get(name) ?? []), ...unknown];
  return { missing, unexpected, reshaped };
}

/** PyTorch's counter of the batches that a normalisation has seen, which nothing reads. */
export function isBatchCounter(name: string): boolean {
  return name.endsWith("num_batches_tracked");
}

/** All that is wrong in one message, its lists cut to what a reader can take in. */
export function describeMismatch(
  { name, prefix, naming, tensors }: NamedWeights,
  count: number,
  { missing, unexpected, reshaped }: Mismatch,
): string {
  const names = naming === reference.name ? "" : ` in the names of ${naming}`;
  const lines = [
    `${name}: expected the module's ${count} parameters${under(prefix)}${names}, got others`,
  ];
  if (missing.length > 0) lines.push(`  missing (${missing.length}): ${shorten(missing)}`);
  if (unexpected.length > 0)
    lines.push(`  unexpected (${unexpected.length}): ${shorten(unexpected)}`);
  if (reshaped.length > 0) {
    const patch = tensors.get("patch_embed.proj.weight")?.shape[2];
    const phrases = reshaped.map((each) => describeShape(each, patch));
    lines.push(`  of another shape (${reshaped.length}): ${shorten(phrases, "; ")}`);
  }
  return lines.join("\n");
}

function under(prefix: string): string {
  return prefix === "" ? "" : ` under ${prefix}`;
}

function shorten(items: readonly string[], separator = ", "): string {
  const shown = items.slice(0, 5).join(separator);
  return items.length > 5 ? `${shown}${separator}and ${items.length - 5} more` : shown;
}

function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

function describeShape({ name, expected, got }: Reshaped, patch: number | undefined): string {
  const hint = positionsHint(name, expected, got, patch);
  return `${name} expected [${expected.join(", ")}], got [${got.join(", ")}]${hint}`;
}

/** Some of what a file holds, in words. */
export function someNames({ tensors }: Pick<Checkpoint, "tensors">): string {
  const names = [...tensors.keys()];
  if (names.length === 0) return "a file without tensors";
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

/** Says so when positional embeddings only differ in the size of their grid. */
function positionsHint(name: string, expected: Shape, got: Shape, patch?: number): string {
  const [model, file] = [gridSide(expected), gridSide(got)];
  const positions = name === "pos_embed" || name.endsWith(".pos_embed");
  if (!positions || !model || !file || expected[2] !== got[2]) return "";
  const size = patch ? `imageSize ${patch * file}` : "the file's image size";
  return (
    ` (positions of a ${file} x ${file} grid for a model of ${model} x ${model}: make the model` +
    ` with ${size}, its forward pass interpolates them for pictures of other sizes)`
  );
}

/** Patches on a side, from `[1, 1 + side * side, dim]`. */
function gridSide(shape: Shape): number | undefined {
  const side = Math.sqrt((shape[1] ?? 0) - 1);
  return shape.length === 3 && side >= 1 && Number.isInteger(side) ? side : undefined;
}
