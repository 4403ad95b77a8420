import { setTimeout as pause } from "node:timers/promises";

/** After its turn a contender's threads may wait for more work by turning round and round. */
const restMilliseconds = 300;

/**
 * Lets contenders train one step after the other, round by round, never two at once, each round
 * begun by another. Those that fail are out. Gives by name the seconds of the steps after the
 * warm-up, the losses of all steps and what was answered to `finish`, or the failure.
 */
export async function takeTurns(contenders, { warmup, rounds, rest = restMilliseconds, onTurn }) {
  const results = new Map(contenders.map(({ name }) => [name, { seconds: [], losses: [] }]));
  for (let round = 0; round < warmup + rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const { name, ask } = contenders[(round + turn) % contenders.length];
      const result = results.get(name);
      if (result.failure !== undefined) continue;
      try {
        const { seconds, loss } = await ask("step");
        onTurn?.({ name, round, seconds });
        if (round >= warmup) result.seconds.push(seconds);
        result.losses.push(loss);
      } catch (error) {
        result.failure = error.message;
      }
      await pause(rest);
    }
  }
  for (const { name, ask } of contenders) {
    const result = results.get(name);
    if (result.failure !== undefined) continue;
    try {
      Object.assign(result, await ask("finish"));
    } catch (error) {
      result.failure = error.message;
    }
  }
  return results;
}
