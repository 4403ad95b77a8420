/**
 * Data that cannot be used: a folder without pictures, a file that is not a picture, too many
 * broken files. The message is one sentence that begins with `subject`.
 */
export class DataError extends Error {
  override readonly name = "DataError";
  /** The folder, file or setting that the message is about. */
  readonly subject: string;
  /** What is wrong with it: the message without its subject. */
  readonly reason: string;

  constructor(subject: string, reason: string, options?: { readonly cause?: unknown }) {
    super(`${subject}: ${reason}`, options);
    this.subject = subject;
    this.reason = reason;
  }
}
