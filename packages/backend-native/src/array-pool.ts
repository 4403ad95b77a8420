/** Memory for float32 arrays, used again and again: fresh pages cost more than most arithmetic. */
export interface ArrayPool {
  /** An array with whatever was in its memory before. */
  take(length: number): Float32Array;
  /** Gives back an array that `take` gave, which nobody may use any more. */
  giveBack(array: Float32Array): void;
  /** Forgets an array that `take` gave: somebody may still read it. */
  forget(array: Float32Array): void;
  /** Bytes in arrays that were taken and neither given back nor forgotten. */
  usedBytes(): number;
  /** Bytes that wait to be used again. */
  freeBytes(): number;
  /** Lets go of all memory that waits. */
  clear(): void;
}

/** Below this many elements an array of its own costs less than looking for one. */
const small = 1024;
/** From so many bytes on an array may have a large page of the system's to itself. */
const large = 2 ** 21;
/** How much the pool may hold, used and waiting, for each byte of the most lately in use. */
const allowance = 1.5;
/** How often the most in use is taken in a period; a training step takes it some three times. */
const patience = 8;
/** Bytes that are not worth letting go. */
const slack = 2 ** 26;

/** Buffers of one size. */
interface Waiting {
  /** The last given back at the end. */
  readonly buffers: ArrayBuffer[];
  /** How many of them, from the first, have waited since the period began. */
  idle: number;
}

/** A pool; `prepare` sees each new large array before anything is written to it. */
export function createArrayPool(prepare?: (fresh: Float32Array) => void): ArrayPool {
  const waiting = new Map<number, Waiting>();
  let [used, free] = [0, 0];
  /** Bytes taken in this period, the most in use in it, and the same in it and the one before. */
  let [taken, most, lately] = [0, 0, 0];

  const clear = () => {
    waiting.clear();
    free = 0;
  };

  /** Lets go of what a whole period has not needed: it was for shapes that are not coming back. */
  const turn = () => {
    for (const [bytes, { buffers, idle }] of waiting) {
      buffers.splice(0, idle);
      free -= idle * bytes;
      if (buffers.length === 0) waiting.delete(bytes);
      else waiting.set(bytes, { buffers, idle: buffers.length });
    }
    [taken, lately, most] = [0, most, used];
  };

  return {
    take: (length) => {
      if (length < small) return new Float32Array(length);
      const bytes = sizeClass(length);
      used += bytes;
      taken += bytes;
      most = Math.max(most, used);
      lately = Math.max(lately, most);
      if (taken > patience * lately + slack) turn();
      const same = waiting.get(bytes);
      const buffer = same?.buffers.pop();
      if (same === undefined || buffer === undefined) {
        const fresh = new Float32Array(new ArrayBuffer(bytes), 0, length);
        if (bytes >= large) prepare?.(fresh);
        return fresh;
      }
      same.idle = Math.min(same.idle, same.buffers.length);
      free -= bytes;
      return new Float32Array(buffer, 0, length);
    },

    giveBack: ({ buffer, length }) => {
      if (length < small) return;
      const bytes = buffer.byteLength;
      used -= bytes;
      // Sizes that never recur fill it up before a period is over.
      if (used + free + bytes > allowance * lately + slack) clear();
      free += bytes;
      const same = waiting.get(bytes);
      if (same === undefined) waiting.set(bytes, { buffers: [buffer as ArrayBuffer], idle: 0 });
      else same.buffers.push(buffer as ArrayBuffer);
    },

    forget: ({ buffer, length }) => {
      if (length >= small) used -= buffer.byteLength;
    },

    usedBytes: () => used,
    freeBytes: () => free,
    clear,
  };
}

/** Bytes for so many elements, rounded up to an eighth of a power of two, so that sizes recur. */
function sizeClass(length: number): number {
  const bytes = 4 * length;
  const step = Math.max(4096, 2 ** (Math.floor(Math.log2(bytes)) - 3));
  return Math.ceil(bytes / step) * step;
}
