import { type DeviceLoss, DeviceLostError, watchDevice } from "./device-loss.ts";

export interface SurviveDeviceLossOptions<Result> {
  /**
   * The run from its beginning: makes a trainer and trains it with a store, which goes on from the
   * last checkpoint. Called again for every loss, with it; whatever it made before is on a device
   * that is no more and only to be disposed of.
   */
  readonly run: (loss?: DeviceLoss) => Promise<Result>;
  /**
   * Starts the backend on another device, as `startBackend("webgpu")` of `@dino/backend` does. Is told
   * how often that was tried since the run got any further: a backend without a device may do then.
   */
  readonly restart: (tried: number) => Promise<unknown>;
  /** How often to try without the run getting any further. */
  readonly tries?: number;
  /** Milliseconds before the second try, twice that before the third and so on: drivers need a while. */
  readonly pause?: number;
  /** Told at once, before another device is looked for. */
  readonly onLost?: (loss: DeviceLoss) => void;
}

/**
 * Runs on through lost devices: a driver that is reset, a laptop that changes its GPU, a browser
 * that takes the GPU away from a page in the background. What `run` rejects with for another reason
 * is passed on. Rejects with a `DeviceLostError` when `tries` devices in a row were lost or did not
 * start, and the run got no further meanwhile.
 */
export async function surviveDeviceLoss<Result>({
  run,
  restart,
  tries = 3,
  pause = 1000,
  onLost,
}: SurviveDeviceLossOptions<Result>): Promise<Result> {
  let loss: DeviceLoss | undefined;
  let tried = 0;
  for (;;) {
    const watch = watchDevice();
    try {
      return await run(loss);
    } catch (thrown) {
      const error = await watch.explain(thrown, loss?.step ?? 0);
      if (!(error instanceof DeviceLostError)) throw error;
      if (loss === undefined || error.step > loss.step) tried = 0;
      loss = { step: Math.max(error.step, loss?.step ?? 0), reason: error.reason };
      if (tried >= tries) {
        const end = `, and so were ${tries} more before it got any further`;
        throw new DeviceLostError(loss, { end, cause: error });
      }
      onLost?.(loss);
    }
    tried = await restarted(restart, loss, { tried, tries, pause });
  }
}

interface Trying {
  readonly tried: number;
  readonly tries: number;
  readonly pause: number;
}

/** Starts another device, and tells how often that has been tried by then. */
async function restarted(
  restart: (tried: number) => Promise<unknown>,
  loss: DeviceLoss,
  { tried, tries, pause }: Trying,
): Promise<number> {
  for (let count = tried; ; count++) {
    if (count > 0) await after(count * pause);
    try {
      await restart(count);
      return count + 1;
    } catch (cause) {
      if (count + 1 < tries) continue;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new DeviceLostError(loss, { end: `, and no other to start: ${why}`, cause });
    }
  }
}

function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
