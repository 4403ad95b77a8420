/** A page that was just left gives way within this time, in milliseconds. */
const patience = 5000;

/** Does what one tab at a time may do with the run that is kept. An Error where another is at it. */
export async function alone<Result>(task: () => Promise<Result>): Promise<Result> {
  let begun = false;
  try {
    return await navigator.locks.request("run", { signal: AbortSignal.timeout(patience) }, () => {
      begun = true;
      return task();
    });
  } catch (error) {
    if (begun) throw error;
    const message = "run: another tab of this page is training; pause it, or close it";
    throw new Error(message, { cause: error });
  }
}
