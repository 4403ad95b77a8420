import type { Progress } from "@dino/data";
import type { Console } from "./console.ts";
import { clock, count } from "./words.ts";

/** Seconds between two lines where nothing can be drawn. */
const interval = 10;

/**
 * Shows how far a long call has come and when it will be done: a line that is drawn again, or one at
 * intervals where nothing can be drawn. What was there when it began does not count for its speed.
 */
export function progressLine(
  screen: Console,
  name: string,
  /** Without it, percents are shown. */
  unit?: string,
): (progress: Progress) => void {
  const begun = now();
  let first: number | undefined;
  let shownAt = begun;
  return ({ done, total }) => {
    first ??= done;
    const rate = (done - first) / (now() - begun);
    const rest = rate > 0 ? `  ${clock((total - done) / rate)} left` : "";
    const share =
      unit === undefined
        ? `${Math.floor((100 * done) / total)} %`
        : `${count(done)} of ${count(total)} ${unit}`;
    const line = `${name}: ${share}${done < total ? rest : ""}`;
    screen.draw(line);
    if (screen.interactive || now() - shownAt < interval || done === total) return;
    shownAt = now();
    screen.note(line);
  };
}

const now = (): number => performance.now() / 1000;
