declare module "jasmine-core/lib/jasmine-core/jasmine.js" {
  export function core(parts: unknown): Jasmine;
  /** Jasmine's functions by their names: `describe`, `it`, `expect`, … */
  function describeInterface(jasmine: Jasmine, environment: Environment): Record<string, unknown>;

  export { describeInterface as interface };

  export interface Jasmine {
    /** Milliseconds that one spec may take. */
    DEFAULT_TIMEOUT_INTERVAL: number;
    getEnv(options: { readonly suppressLoadErrors: boolean }): Environment;
  }

  export interface Environment {
    configure(configuration: {
      readonly random: boolean;
      readonly specFilter: (spec: { getFullName(): string }) => boolean;
    }): void;
    addReporter(reporter: Reporter): void;
    execute(): Promise<unknown>;
  }

  export interface Result {
    readonly fullName: string;
    /** "passed", "failed", "pending" (switched off in the source), "excluded" (by the filter). */
    readonly status: string;
    readonly failedExpectations: readonly { readonly message: string }[];
  }

  export interface Reporter {
    specStarted?(result: Result): void;
    specDone?(result: Result): void;
    suiteDone?(result: Result): void;
    jasmineDone?(result: Pick<Result, "failedExpectations">): void;
  }
}
