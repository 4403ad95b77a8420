/** Something that a kernel does along one or two axes, which can be cut into parts. */
export interface Job {
  /** The kernel's place among the functions. */
  readonly kernel: number;
  /** What it is called with if it does everything itself. */
  readonly args: readonly number[];
  readonly axes: readonly [Axis] | readonly [Axis, Axis];
  /** The argument where it works, and how many bytes further on the next thread does. */
  readonly scratch?: { readonly argument: number; readonly bytes: number };
  /** How many threads there is room for; all unless given. */
  readonly threads?: number;
}

/** So many of something, cut into parts of `each`. */
export interface Axis {
  readonly total: number;
  readonly each: number;
  /** The argument that says how many. */
  readonly count: number;
  /** Arguments, and by how much they grow from one to the next. */
  readonly steps: readonly (readonly [argument: number, step: number])[];
}

export interface ThreadOptions {
  /** What threads tell each other in: `controlBytes` of them, zeros at first. */
  readonly control: SharedArrayBuffer;
  readonly functions: readonly ((...args: number[]) => unknown)[];
  /** This thread's number, 0 for the one that gives the others their work. */
  readonly index: number;
}

export interface Thread {
  /** Does a job by itself; the sum of what its parts give. */
  alone(job: Job): number;
  /** Does a job with all others; the sum of what its parts give, in their order. */
  together(job: Job): number;
  /** Helps thread 0, for ever. */
  follow(): never;
}

/** A job has 4095 parts at most. */
export const mostParts = 4095;

export const controlBytes: number = 64 + 8 * 128 + 8 * 4096 + 2 * 512;

/**
 * One of the threads that do jobs together: each takes the next part that nobody has taken. Other
 * threads are given this function as text, so it refers to nothing around it.
 */
export function createThread({ control, functions, index }: ThreadOptions): Thread {
  /** The job's number, and in the 12 lowest bits how many of its parts are left to take. */
  const work = 0;
  /** Parts that are not done. */
  const undone = 1;
  /** Threads that sleep until there is work. */
  const asleep = 2;
  /** One more than the letters of the first error, or 0. */
  const failed = 3;
  const words = new Int32Array(control, 0, 16);
  /** The job: what is in front is listed in `write`, then arguments and their steps along two axes. */
  const numbers = new Float64Array(control, 64, 128);
  const results = new Float64Array(control, 64 + 8 * 128, 4096);
  const letters = new Uint16Array(control, 64 + 8 * 128 + 8 * 4096, 512);
  const [argsAt, stepsAt, secondStepsAt] = [32, 64, 96] as const;
  /** Looks for work, or for an end of it, before a thread goes to sleep: some 50 microseconds. */
  const looks = 4000;
  /** Seconds without any part done after which a thread counts as lost. */
  const patience = 120;
  const args: number[] = [];
  let jobs = 0;
  let lost: Error | undefined;

  function write({ kernel, args: whole, axes, scratch, threads }: Job): number {
    const [first, second] = axes;
    const along = Math.ceil(first.total / first.each);
    const parts = along * (second === undefined ? 1 : Math.ceil(second.total / second.each));
    numbers.fill(0, argsAt);
    numbers.set([kernel, parts, whole.length, scratch?.argument ?? -1, scratch?.bytes ?? 0, along]);
    numbers[6] = threads ?? Number.POSITIVE_INFINITY;
    numbers.set([first.total, first.each, first.count], 8);
    numbers.set([second?.total ?? 0, second?.each ?? 0, second?.count ?? -1], 12);
    numbers.set(whole, argsAt);
    for (const [argument, step] of first.steps) numbers[stepsAt + argument] = step;
    for (const [argument, step] of second?.steps ?? []) numbers[secondStepsAt + argument] = step;
    return parts;
  }

  /** Reads what a part is called with. */
  function read(part: number): void {
    const along = numbers[5] as number;
    const first = (part % along) * (numbers[9] as number);
    const second = Math.floor(part / along) * (numbers[13] as number);
    const count = Math.min(24, numbers[2] as number);
    args.length = count;
    for (let i = 0; i < count; i++) {
      args[i] =
        (numbers[argsAt + i] as number) +
        first * (numbers[stepsAt + i] as number) +
        second * (numbers[secondStepsAt + i] as number);
    }
    args[numbers[10] as number] = Math.min(numbers[9] as number, (numbers[8] as number) - first);
    if ((numbers[14] as number) >= 0) {
      args[numbers[14] as number] = Math.min(
        numbers[13] as number,
        (numbers[12] as number) - second,
      );
    }
    const scratch = numbers[3] as number;
    if (scratch >= 0) {
      args[scratch] = (args[scratch] as number) + index * (numbers[4] as number);
    }
  }

  function call(part: number): void {
    const kernel = functions[numbers[0] as number] as (...args: number[]) => unknown;
    results[part] = Number(kernel(...args) ?? 0);
  }

  /** Takes parts and does them as long as there are some; gives what `work` was then. */
  function takeParts(): number {
    for (;;) {
      const word = Atomics.load(words, work);
      const left = word & 4095;
      if (left === 0 || index >= (numbers[6] as number)) return word;
      // What is read here may belong to the next job already, if this one has ended meanwhile: but
      // then the part is not there to be taken any more.
      const part = (numbers[1] as number) - left;
      if (part < 0) continue;
      read(part);
      if (Atomics.compareExchange(words, work, word, word - 1) !== word) continue;
      try {
        call(part);
      } catch (error) {
        tell(String(error));
      }
      if (Atomics.sub(words, undone, 1) === 1) Atomics.notify(words, undone);
    }
  }

  function tell(message: string): void {
    const length = Math.min(letters.length, message.length);
    if (Atomics.compareExchange(words, failed, 0, length + 1) !== 0) return;
    for (let i = 0; i < length; i++) letters[i] = message.charCodeAt(i);
  }

  function waitForAll(): void {
    let look = 0;
    let since = 0;
    for (;;) {
      const left = Atomics.load(words, undone);
      if (left === 0) return;
      if (look++ < looks) continue;
      since ||= Date.now();
      if (mayWait()) Atomics.wait(words, undone, left, 1000);
      if (Date.now() - since > 1000 * patience) {
        lost = new Error(`wasm kernels: expected a thread to answer, got none in ${patience} s`);
        throw lost;
      }
    }
  }

  /** A page's own thread may not sleep. */
  let sleeps: boolean | undefined;
  function mayWait(): boolean {
    if (sleeps === undefined) {
      try {
        Atomics.wait(words, 15, 1, 0); // what is there is 0
        sleeps = true;
      } catch {
        sleeps = false;
      }
    }
    return sleeps;
  }

  function sum(parts: number): number {
    let total = 0;
    for (let part = 0; part < parts; part++) total += results[part] as number;
    return total;
  }

  return {
    alone: (job) => {
      const parts = write(job);
      for (let part = 0; part < parts; part++) {
        read(part);
        call(part);
      }
      return sum(parts);
    },

    together: (job) => {
      if (lost !== undefined) throw lost;
      const parts = write(job);
      jobs = (jobs + 1) & 0x7ffff;
      Atomics.store(words, undone, parts);
      Atomics.store(words, work, (jobs << 12) | parts);
      if (Atomics.load(words, asleep) > 0) Atomics.notify(words, work, parts - 1);
      takeParts();
      waitForAll();
      const length = Atomics.exchange(words, failed, 0) - 1;
      if (length >= 0) {
        const message = String.fromCharCode(...letters.subarray(0, length));
        throw new Error(`wasm kernels: a thread failed: ${message}`);
      }
      return sum(parts);
    },

    follow: () => {
      for (;;) {
        const word = takeParts();
        let look = 0;
        while (look < looks && Atomics.load(words, work) === word) look++;
        if (look < looks) continue;
        Atomics.add(words, asleep, 1);
        Atomics.wait(words, work, word);
        Atomics.sub(words, asleep, 1);
      }
    },
  };
}
