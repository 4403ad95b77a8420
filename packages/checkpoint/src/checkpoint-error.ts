/** A checkpoint is not what it should be: the message names the file or tensor, what was expected and what came. */
export class CheckpointError extends Error {
  override readonly name = "CheckpointError";
}

/** Text from a file as it may stand in a message: quoted, and never longer than a line. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}
