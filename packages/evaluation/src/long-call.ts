/** How far a long call has come. */
export interface Progress {
  readonly done: number;
  readonly total: number;
}

/** The part of an `AbortSignal` that is read here. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  throwIfAborted(): void;
}

/** What every long call takes. */
export interface LongCall {
  /** Ends the call early: it then rejects with the signal's reason and leaves nothing behind. */
  readonly signal?: AbortSignalLike | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

declare function setTimeout(callback: () => void): unknown;

/**
 * Lets timers and events through between two pieces of work, since a backend may compute without
 * ever giving way. Not tied to frames, which a page in the background never gets.
 */
export function giveWay(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
