import { createLogUpdate } from "log-update";
import pc from "picocolors";

/** Where a command talks: words go to standard error, figures to standard output. */
export interface Console {
  /** Whether there is a person at a terminal to draw for. */
  readonly interactive: boolean;
  readonly colors: ReturnType<typeof pc.createColors>;
  /** A line for people. */
  note(line: string): void;
  /** Replaces what is drawn below the notes; nothing on a terminal that cannot. */
  draw(text: string): void;
  /** Leaves what is drawn behind, as it stands. */
  settle(): void;
  /** The one thing that was asked for. */
  result(text: string): void;
}

/** The process's console. `NO_COLOR` turns colours off, `CI` and dumb terminals the drawing. */
export function processConsole(environment: NodeJS.ProcessEnv = process.env): Console {
  const { stderr, stdout } = process;
  const isTerminal = stderr.isTTY === true && environment.TERM !== "dumb";
  // A terminal without rows is nobody's: nothing drawn there would be seen.
  const interactive = isTerminal && stderr.rows > 0 && !environment.CI;
  const drawing = createLogUpdate(stderr, { showCursor: true });
  return {
    interactive,
    colors: pc.createColors(isTerminal && !environment.NO_COLOR),
    note: (line) => {
      if (interactive) drawing.clear();
      stderr.write(`${line}\n`);
    },
    draw: (text) => {
      if (interactive) drawing(text);
    },
    settle: () => {
      if (interactive) drawing.done();
    },
    result: (text) => {
      if (interactive) drawing.clear();
      stdout.write(`${text}\n`);
    },
  };
}

/** The one document of a command's `--json`: a line of its own. Figures that are none become null. */
export function jsonLine(document: object): string {
  return JSON.stringify(document);
}
