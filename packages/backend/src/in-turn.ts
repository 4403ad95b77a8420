let last: Promise<unknown> = Promise.resolve();

/** Runs `task` once all that were given before it have ended: tfjs has but one active backend. */
export function inTurn<T>(task: () => Promise<T>): Promise<T> {
  const result = last.then(task);
  last = result.catch(() => undefined);
  return result;
}
