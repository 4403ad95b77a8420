/** What a worker offers: functions of plain data, which may tell of their progress. */
export type Methods = Readonly<Record<string, Method>>;
// biome-ignore lint/suspicious/noExplicitAny: the parameters of any function at all
export type Method = (...args: any[]) => unknown;

/** Tells whoever called of progress, as plain data. */
export type Tell<Event> = (event: Event) => void;

export interface Call {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

export type Answer =
  | { readonly id: number; readonly event: unknown }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: { readonly name: string; readonly message: string } };
