/** Something was asked for that cannot be: the message names the flag. Ends the program with 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Something that was asked for cannot be done: the message names the path. Ends the program with 1. */
export class RunError extends Error {
  override readonly name = "RunError";
}
