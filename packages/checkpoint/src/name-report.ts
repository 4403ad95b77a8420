import type { TensorInfo } from "./checkpoint.ts";

/** How the names under a prefix differ from those of a module. */
export interface Mismatch {
  /** The module's names that the file lacks. */
  readonly missing: readonly string[];
  /** The file's names, whole, that the module lacks. */
  readonly unexpected: readonly string[];
  /** One phrase for each name whose shape differs. */
  readonly reshaped: readonly string[];
}

type Shape = readonly number[];

export function compareNames(
  shapes: Readonly<Record<string, Shape>>,
  tensors: ReadonlyMap<string, TensorInfo>,
  prefix: string,
): Mismatch {
  const missing: string[] = [];
  const reshaped: string[] = [];
  for (const [name, expected] of Object.entries(shapes)) {
    const got = tensors.get(prefix + name)?.shape;
    if (!got) missing.push(name);
    else if (!sameShape(expected, got)) {
      const patch = tensors.get(`${prefix}patch_embed.proj.weight`)?.shape[2];
      reshaped.push(
        `${name} expected [${expected.join(", ")}], got [${got.join(", ")}]${positionsHint(name, expected, got, patch)}`,
      );
    }
  }
  const unexpected = [...tensors.keys()].filter(
    (name) =>
      name.startsWith(prefix) &&
      !Object.hasOwn(shapes, name.slice(prefix.length)) &&
      !name.endsWith("num_batches_tracked"), // PyTorch's counter of batches, which nothing reads
  );
  return { missing, unexpected, reshaped };
}

/** All that is wrong in one message, its lists cut to what a reader can take in. */
export function describeMismatch(
  file: string,
  prefix: string,
  count: number,
  { missing, unexpected, reshaped }: Mismatch,
): string {
  const lines = [`${file}: expected the module's ${count} parameters${under(prefix)}, got others`];
  if (missing.length > 0) lines.push(`  missing (${missing.length}): ${shorten(missing)}`);
  if (unexpected.length > 0)
    lines.push(`  unexpected (${unexpected.length}): ${shorten(unexpected)}`);
  if (reshaped.length > 0) {
    lines.push(`  of another shape (${reshaped.length}): ${shorten(reshaped, "; ")}`);
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
