import { activeBackend, type Precision, startBackend } from "@dino/backend";
import { type DeviceLoss, type DeviceWatch, surviveDeviceLoss, watchDevice } from "@dino/trainer";
import type { Tell } from "../remote/protocol.ts";

/** An engine that took the place of one whose graphics device was lost. */
export interface Restart {
  /** The line of `startBackend`. */
  readonly line: string;
  /** What the driver or the browser says about the loss. */
  readonly reason: string;
  /** Whether it is of the same kind. */
  readonly same: boolean;
}

/** The engine of a worker. */
export interface LastingEngine {
  /** What the worker offers the page. */
  readonly methods: {
    /**
     * Starts an engine, and says in one line which and why. It computes in float32 where it has not the
     * precision that is asked for.
     */
    readonly start: (asked: string, precision: Precision) => Promise<string>;
    /** Tells of every engine that takes the place of a lost one, and never ends. */
    readonly losses: (tell: Tell<Restart>) => Promise<never>;
  };
  /**
   * Runs what computes. Where the graphics device is lost meanwhile, or was since the last time, it is
   * run again on another, and when that is lost, too, on the processor.
   */
  lasting<Result>(run: (loss?: DeviceLoss) => Promise<Result>): Promise<Result>;
}

/** How often another device is asked for, in a row, before the processor has to do. */
const mostDevices = 2;

/** An engine that comes back when its device is lost; `renew` makes anew what was on the device. */
export function lastingEngine(renew: () => Promise<void> = async () => {}): LastingEngine {
  let name = "";
  let precision: Precision = "fp32";
  let watch: DeviceWatch | undefined;
  let renewed = true;
  let tell: Tell<Restart> = () => {};
  let restarting: Promise<void> = Promise.resolve();

  const start = async (asked: string, wanted: Precision) => {
    let line = await startBackend(asked);
    name = activeBackend().name;
    precision = wanted;
    // Of a page's engines WebGPU alone has another.
    if (name === "webgpu" && wanted !== "fp32") line = await startBackend(asked, { precision });
    watch = watchDevice();
    return line;
  };
  const isPresent = () => {
    try {
      watch?.assertPresent(0);
      return true;
    } catch {
      return false;
    }
  };
  const restart = async (tried: number, reason: string) => {
    if (renewed && isPresent()) return; // what else was computing has seen to it
    renewed = false;
    const same = tried < mostDevices;
    const line = await start(same ? name : "wasm", precision);
    await renew();
    renewed = true;
    tell({ line, reason: reason.replace(/\.$/, ""), same });
  };

  return {
    methods: {
      start,
      losses: (hear) => {
        tell = hear;
        return new Promise(() => {});
      },
    },
    lasting: (run) => {
      let reason = "";
      return surviveDeviceLoss({
        run: async (loss) => {
          await restarting.catch(() => {});
          const [current, step] = [watch, loss?.step ?? 0]; // another may have started just now
          current?.assertPresent(step);
          try {
            return await run(loss);
          } catch (error) {
            throw current ? await current.explain(error, step) : error;
          }
        },
        restart: (tried) => {
          restarting = restarting.catch(() => {}).then(() => restart(tried, reason));
          return restarting;
        },
        onLost: (loss) => {
          reason = loss.reason;
        },
      });
    },
  };
}
