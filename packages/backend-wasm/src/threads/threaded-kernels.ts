import { aligned, threadsFor } from "../heap.ts";
import type { Kernels } from "../kernels.ts";
import { type Axis, type Job, mostParts } from "./create-thread.ts";
import { type Cut, type Cuttable, cuts, type Scratch, sums } from "./cuts.ts";
import type { Pool } from "./pool.ts";

/** Nanoseconds of work that are worth being a part: a thread that sleeps takes as long to wake. */
const usualPartTime = 20_000;

/** Parts for each thread: what one is late with, others do. */
const partsEach = 4;

type Numbers = readonly number[];
type Run = (...args: Numbers) => unknown;

/**
 * Kernels that share work among a pool's threads, in parts that take about `partTime` nanoseconds
 * at least. Results are the same on any number.
 */
export function threadedKernels(
  kernels: Kernels,
  pool: Pool,
  partTime: number = usualPartTime,
): Kernels {
  const scratch: Scratch = {
    rowsTogether: kernels.rowsTogether.value,
    product: kernels.productScratch.value,
    attention: (tokens) => kernels.attentionScratch(tokens),
  };
  const numberOf = new Map(Object.keys(kernelFunctions(kernels)).map((name, i) => [name, i]));
  const cutting = (name: string, args: Numbers, cut: Cut, axes: Job["axes"]): Job => ({
    kernel: numberOf.get(name) as number,
    args,
    axes,
    ...(cut.scratch && {
      scratch: { argument: cut.scratch.argument, bytes: aligned(cut.scratch.bytes) },
      threads: threadsFor(cut.scratch.bytes, pool.threads),
    }),
  });

  const threaded: Record<string, unknown> = { ...kernels };
  for (const [name, cutOf] of Object.entries(pool.threads > 1 ? cuts : {})) {
    const whole = kernels[name as keyof Kernels] as Run;
    threaded[name] = (...args: Numbers) => {
      const cut = (cutOf as (args: Numbers, scratch: Scratch) => Cut)(args, scratch);
      const parts = Math.min(partsEach * pool.threads, Math.floor(cut.time / partTime));
      const axes = parts > 1 ? axesInto(parts, cut.axes) : undefined;
      if (axes === undefined) whole(...args);
      else pool.together(cutting(name, args, cut, axes));
    };
  }
  for (const [name, cutOf] of Object.entries(sums)) {
    const whole = kernels[name as keyof Kernels] as Run;
    threaded[name] = (...args: Numbers) => {
      const cut = (cutOf as (args: Numbers, scratch: Scratch) => Cut)(args, scratch);
      const axes = cut.axes as readonly [Axis];
      const parts = partsOf(axes[0]);
      if (parts < 2 || parts > mostParts) return whole(...args);
      const job = cutting(name, args, cut, axes);
      return pool.threads > 1 && cut.time > 2 * partTime ? pool.together(job) : pool.alone(job);
    };
  }
  return threaded as unknown as Kernels;
}

/** The kernels among what the module exports. */
export function kernelFunctions(kernels: Kernels): Record<string, (...args: number[]) => unknown> {
  const entries = Object.entries(kernels).filter(([, each]) => typeof each === "function");
  return Object.fromEntries(entries);
}

function partsOf({ total, each }: Pick<Axis, "total" | "each">): number {
  return Math.ceil(total / each);
}

/**
 * One axis or two, cut into about so many parts, or nothing if they are too short. Of two, each
 * is cut by its share of their lengths, so that parts are about square: they have least in common.
 */
function axesInto(parts: number, axes: readonly Cuttable[]): Job["axes"] | undefined {
  const [first, second] = axes;
  if (first === undefined) return undefined;
  if (second === undefined) {
    const axis = into(parts, first);
    return partsOf(axis) > 1 ? [axis] : undefined;
  }
  const wanted = Math.round(Math.sqrt((parts * units(first)) / units(second)));
  const down = into(Math.min(parts, Math.max(1, wanted)), first);
  const across = into(Math.round(parts / partsOf(down)), second);
  return partsOf(down) * partsOf(across) > 1 ? [down, across] : undefined;
}

function units({ total, multiple = 1 }: Cuttable): number {
  return total / multiple;
}

/** At most so many parts, at least one. */
function into(parts: number, axis: Cuttable): Axis {
  const { total, multiple = 1, count, steps } = axis;
  const each = Math.ceil(total / Math.max(1, parts) / multiple) * multiple;
  return { total, each, count, steps };
}
