import { isShared, type Memory } from "../load-kernels.ts";
import { hostThreads, type Threads } from "./host-threads.ts";
import { createPool, type Pool, type PoolOptions } from "./pool.ts";

/** How many threads can work on a memory: as many as are asked for, or as the host has cores. */
export function threadsOn(memory: Memory, asked: number | undefined): Threads {
  if (asked !== undefined && (!Number.isInteger(asked) || asked < 1 || asked > 1024)) {
    throw new RangeError(`threads: expected an integer from 1 to 1024, got ${asked}`);
  }
  if (asked === 1) return { threads: 1 };
  const { canShare, ...here } = hostThreads();
  if (canShare && !isShared(memory)) return { threads: 1, reason: "its memory is not shared" };
  return canShare && asked !== undefined ? { threads: asked } : here;
}

/** Starts so many threads, or has one and a reason. */
export async function startPool({
  reason,
  ...options
}: PoolOptions & Threads): Promise<{ readonly pool: Pool; readonly reason?: string }> {
  try {
    const pool = await createPool(options);
    return reason === undefined ? { pool } : { pool, reason };
  } catch (error) {
    const { message } = error as Error;
    const pool = await createPool({ ...options, threads: 1 });
    return { pool, reason: `threads do not start: ${message}` };
  }
}
