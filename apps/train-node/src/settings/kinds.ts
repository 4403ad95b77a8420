import type { Precision } from "@dino/backend";
import { type Duration, formatDuration, parseDuration } from "./duration.ts";

/** What a setting may be: how it is read from text, and written. */
export interface Kind<T> {
  /** How the help shows a value. */
  readonly placeholder: string;
  /** What is expected, in words that follow "expected". */
  readonly expected: string;
  /** The value, or nothing if the text is none. */
  read(text: string): T | undefined;
  /** The text that `read` reads back. */
  show(value: T): string;
}

export interface Bounds {
  readonly min?: number;
  /** Excluded lower bound. */
  readonly above?: number;
  readonly max?: number;
  /** Excluded upper bound. */
  readonly below?: number;
  /** What a bound stands for, in words. */
  readonly why?: string;
}

export function number(bounds: Bounds = {}): Kind<number> {
  return {
    placeholder: "number",
    expected: `a number${describe(bounds)}`,
    read: (text) => within(bounds, decimal(text)),
    show: String,
  };
}

export function integer(bounds: Bounds = {}): Kind<number> {
  return {
    placeholder: "n",
    expected: `a whole number${describe(bounds)}`,
    read: (text) => {
      const value = decimal(text);
      return Number.isSafeInteger(value) ? within(bounds, value) : undefined;
    },
    show: String,
  };
}

/** The words that the reference takes, in any case. */
export const boolean: Kind<boolean> = {
  placeholder: "true|false",
  expected: "true or false (on, off, 1, 0)",
  read: (text) => {
    const word = text.toLowerCase();
    if (["true", "on", "1"].includes(word)) return true;
    return ["false", "off", "0"].includes(word) ? false : undefined;
  },
  show: String,
};

export function choice<const T extends string>(choices: readonly T[]): Kind<T> {
  return {
    placeholder: "name",
    expected: `one of ${choices.join(", ")}`,
    read: (text) => choices.find((name) => name === text.toLowerCase()),
    show: String,
  };
}

/** Some of these words, with commas between them. */
export function some<const T extends string>(choices: readonly T[]): Kind<readonly T[]> {
  return {
    placeholder: "name,name",
    expected: `some of ${choices.join(",")}`,
    read: (text) => {
      const asked = text.toLowerCase().split(/[\s,]+/);
      const known = choices.filter((name) => asked.includes(name));
      return asked.every((name) => choices.some((known) => known === name)) ? known : undefined;
    },
    show: (value) => value.join(","),
  };
}

/** How an engine computes. */
export const precision: Kind<Precision | "auto"> = choice(["fp32", "bf16", "f16", "auto"]);

/** Two numbers in order: a share of an area, from and to. */
export const areaRange: Kind<readonly [from: number, to: number]> = {
  placeholder: "from to",
  expected: "two numbers in order, above 0 and at most 1 (such as 0.4 1)",
  read: (text) => {
    const [from, to, ...rest] = text.split(/[\s,]+/).map(decimal);
    if (from === undefined || to === undefined || rest.length > 0) return undefined;
    return from > 0 && from <= to && to <= 1 ? [from, to] : undefined;
  },
  show: ([from, to]) => `${from} ${to}`,
};

/** `percent: false` where the length of the run itself is told. */
export function duration({
  percent = true,
  above,
}: {
  percent?: boolean;
  above?: number;
} = {}): Kind<Duration> {
  const least = above === undefined ? "" : " above 0";
  return {
    placeholder: "duration",
    expected: percent
      ? `a duration${least} such as 2 (epochs), 500steps or 10%`
      : `a duration${least} such as 2 (epochs) or 500steps`,
    read: (text) => {
      const value = parseDuration(text);
      if (value === undefined || (above !== undefined && value.amount <= above)) return undefined;
      return value.unit === "percent" && !percent ? undefined : value;
    },
    show: formatDuration,
  };
}

export const text: Kind<string> = {
  placeholder: "text",
  expected: "some text",
  read: (value) => (value === "" ? undefined : value),
  show: String,
};

export const path: Kind<string> = { ...text, placeholder: "path", expected: "a path" };

/** A setting that may be left to the program: `word` says what it then does. */
export function optional<T>(kind: Kind<T>, word: string): Kind<T | undefined> {
  return {
    placeholder: kind.placeholder,
    expected: `${kind.expected}, or ${word}`,
    read: (value) => kind.read(value),
    show: (value) => (value === undefined ? word : kind.show(value)),
  };
}

/** A finite decimal number; the empty text and hexadecimal are none. */
function decimal(value: string): number {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value.trim()) ? Number(value) : Number.NaN;
}

function within({ min, above, max, below }: Bounds, value: number): number | undefined {
  if (!Number.isFinite(value)) return undefined;
  if (min !== undefined && value < min) return undefined;
  if (above !== undefined && value <= above) return undefined;
  if (max !== undefined && value > max) return undefined;
  return below !== undefined && value >= below ? undefined : value;
}

function describe({ min, above, max, below, why }: Bounds): string {
  const parts = [
    min !== undefined && max !== undefined ? `from ${min} to ${max}` : undefined,
    min !== undefined && max === undefined ? `of at least ${min}` : undefined,
    above !== undefined ? `above ${above}` : undefined,
    max !== undefined && min === undefined ? `of at most ${max}` : undefined,
    below !== undefined ? `below ${below}` : undefined,
  ].filter((part) => part !== undefined);
  const words = parts.length > 0 ? ` ${parts.join(" and ")}` : "";
  return why === undefined ? words : `${words}, ${why}`;
}
