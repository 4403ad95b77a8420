import * as tf from "@tensorflow/tfjs-core";
import { turn } from "./turn.ts";

/** A device that was lost while a run was on it, and all tensors with it. */
export interface DeviceLoss {
  /** Steps that the run had done. */
  readonly step: number;
  /** What the driver or the browser says about it. */
  readonly reason: string;
}

/** The device that a run was on is gone; the run's last checkpoint is not. */
export class DeviceLostError extends Error implements DeviceLoss {
  override readonly name = "DeviceLostError";
  readonly step: number;
  readonly reason: string;

  constructor(
    { step, reason }: DeviceLoss,
    { end = "", cause }: { readonly end?: string; readonly cause?: unknown } = {},
  ) {
    const message = `device: expected it to last, got it lost after step ${step} (${reason})${end}`;
    super(message, cause === undefined ? {} : { cause });
    this.step = step;
    this.reason = reason;
  }
}

/** Knows whether the device that was active when it was made has been lost since. */
export interface DeviceWatch {
  /** Throws a `DeviceLostError` if the device is lost. */
  assertPresent(step: number): void;
  /** The error as it is, or where the device is lost and so to blame, a `DeviceLostError`. */
  explain(error: unknown, step: number): Promise<unknown>;
}

/** The part of WebGPU's devices, and of tfjs's backends that have one, that tells of a loss. */
interface OnDevice {
  readonly device?: { readonly lost?: Promise<{ readonly message: string }> };
}

/**
 * Watches the device of the active backend. One without a device, as those of processors, loses none;
 * nor is anything lost where no backend is active, as after a loss that nobody has dealt with yet.
 */
export function watchDevice(): DeviceWatch {
  let reason: string | undefined;
  const active = tf.getBackend() ? (tf.backend() as OnDevice) : undefined;
  active?.device?.lost?.then(({ message }) => {
    reason = message || "no reason given";
  });
  const lossAt = (step: number) => (reason === undefined ? undefined : { step, reason });
  return {
    assertPresent: (step) => {
      const loss = lossAt(step);
      if (loss) throw new DeviceLostError(loss);
    },
    explain: async (error, step) => {
      if (error instanceof DeviceLostError) return error;
      await turn(); // a command may fail before its device tells why
      const loss = lossAt(step);
      return loss ? new DeviceLostError(loss, { cause: error }) : error;
    },
  };
}
