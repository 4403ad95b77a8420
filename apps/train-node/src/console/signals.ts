/** What the system's signals ask of a command. */
export interface Stop {
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** What a shell expects of a program that a signal ended; nothing before one came. */
  readonly exitCode: number | undefined;
  /** Gives the signals back. */
  release(): void;
}

const codes = { SIGINT: 130, SIGTERM: 143 } as const;

/** The first signal asks to stop, and `onFirst` tells; the second ends the process at once. */
export function stopOnSignals(onFirst: () => void): Stop {
  const controller = new AbortController();
  let exitCode: number | undefined;
  const handle = (name: NodeJS.Signals) => {
    const code = codes[name as keyof typeof codes];
    if (exitCode !== undefined) process.exit(code);
    exitCode = code;
    onFirst();
    controller.abort();
  };
  const names = Object.keys(codes) as (keyof typeof codes)[];
  for (const name of names) process.on(name, handle);
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    release: () => {
      for (const name of names) process.off(name, handle);
    },
  };
}
