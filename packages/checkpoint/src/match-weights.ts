import type { Checkpoint } from "./checkpoint.ts";
import { CheckpointError } from "./checkpoint-error.ts";
import type { LoadReport } from "./load-report.ts";
import { compareNames, describeMismatch, someNames } from "./name-report.ts";
import { findWeights, networkRoot } from "./names/find-weights.ts";
import type { NamedWeights } from "./names/named-weights.ts";

/** What weights can be loaded into: anything that tells its parameters' names and shapes. */
export interface Parametric {
  readonly parameterShapes: Readonly<Record<string, readonly number[]>>;
}

export interface MatchOptions {
  /** Which of the two networks of a training checkpoint. Files that hold one alone ignore it. */
  readonly from?: "student" | "teacher";
  /** What stands in front of the module's names in the file; found by itself when absent. */
  readonly prefix?: string;
  /** Leaves out what the file lacks and ignores what it has too much. Shapes must agree even so. */
  readonly allowPartial?: boolean;
  /** Is told what was found and done, once all is well. */
  readonly onReport?: (report: LoadReport) => void;
}

/** A module's parameters in a checkpoint, before any is read. */
export interface Match {
  /** Those of the module that are there, and no others. */
  readonly weights: NamedWeights;
  /** The module's shapes where the file has others. */
  readonly reshaped: ReadonlyMap<string, readonly number[]>;
  readonly report: LoadReport;
  /** Throws what is wrong with the shapes. */
  fail(): never;
}

/** Where a module's parameters are in a checkpoint, or a `CheckpointError` that lists what does not fit. */
export function matchWeights(
  module: Parametric,
  checkpoint: Checkpoint,
  {
    from = "teacher",
    prefix,
    allowPartial = false,
    reshapes,
  }: MatchOptions & { readonly reshapes: boolean },
): Match {
  const { parameterShapes: shapes } = module;
  const names = Object.keys(shapes);
  const found = findWeights(checkpoint, (name) => Object.hasOwn(shapes, name), { from, prefix });
  if (!found) {
    const place = prefix ?? networkRoot(checkpoint, from);
    throw new CheckpointError(
      `${checkpoint.name}: expected weights such as ${place}${names[0]}, got ${someNames(checkpoint)}`,
    );
  }
  const mismatch = compareNames(shapes, found);
  const fail = (): never => {
    throw new CheckpointError(describeMismatch(found, names.length, mismatch));
  };
  const { missing, unexpected, reshaped } = mismatch;
  if (missing.length + unexpected.length > 0 && !allowPartial) fail();
  if (reshaped.length > 0 && !reshapes) fail();

  const there = names.filter((name) => found.tensors.has(name));
  const weights = only(found, there);
  const renamed = there.flatMap((to) => {
    const parts = found.sources.get(to) ?? [];
    return parts[0] === found.prefix + to ? [] : [{ from: parts, to }];
  });
  const report = {
    file: found.name,
    naming: found.naming,
    prefix: found.prefix,
    loaded: there.length,
    missing,
    unexpected,
    renamed,
    reshaped: reshaped.map(({ name, got, expected }) => ({ name, from: got, to: expected })),
    leftOut: found.leftOut,
  };
  const wanted = new Map(reshaped.map(({ name, expected }) => [name, expected]));
  return { weights, reshaped: wanted, report, fail };
}

/**
 * A module's parameters in a checkpoint, none read yet, under the module's names and in its order:
 * as strict as `loadWeights`.
 */
export function selectWeights(
  module: Parametric,
  checkpoint: Checkpoint,
  options: MatchOptions = {},
): NamedWeights {
  const { weights, report } = matchWeights(module, checkpoint, { ...options, reshapes: false });
  options.onReport?.(report);
  return weights;
}

/** The tensors of these names, in this order. */
function only(found: NamedWeights, names: readonly string[]): NamedWeights {
  const some = <T>(map: ReadonlyMap<string, T>) =>
    new Map(names.map((name) => [name, map.get(name) as T]));
  return { ...found, tensors: some(found.tensors), sources: some(found.sources) };
}
