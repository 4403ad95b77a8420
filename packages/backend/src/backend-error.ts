/** No engine could be started, or not the one that was asked for. */
export class BackendError extends Error {
  override readonly name = "BackendError";
  /** The command that would make the engine available, where there is one. */
  readonly install: string | undefined;

  constructor(
    message: string,
    options: { readonly install?: string | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.install = options.install;
  }
}
