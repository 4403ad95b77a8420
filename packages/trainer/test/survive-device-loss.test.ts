import "@dino/testing"; // the cpu backend
import { type DeviceLoss, DeviceLostError, surviveDeviceLoss, watchDevice } from "@dino/trainer";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, expect, test } from "vitest";

/** Stands in for a graphics device of the active backend; `lose` takes it away. */
function device() {
  let lose: (reason: string) => void = () => {};
  const lost = new Promise<{ message: string }>((resolve) => {
    lose = (message) => resolve({ message });
  });
  Object.assign(tf.backend(), { device: { lost } });
  return { lose: (reason: string) => lose(reason) };
}

afterEach(() => {
  delete (tf.backend() as { device?: unknown }).device;
});

test("runs again on another device, and is told why", async () => {
  const first = device();
  const runs: (DeviceLoss | undefined)[] = [];
  const told: DeviceLoss[] = [];
  const result = await surviveDeviceLoss({
    run: async (loss) => {
      runs.push(loss);
      if (loss) return "done";
      first.lose("driver reset");
      throw new Error("a buffer could not be mapped");
    },
    restart: async () => device(),
    onLost: (loss) => told.push(loss),
  });
  const loss = { step: 0, reason: "driver reset" };
  expect(result).toBe("done");
  expect(runs).toEqual([undefined, loss]);
  expect(told).toEqual([loss]);
});

test("goes on for one who finds that the device was lost before, while nothing ran", async () => {
  const own = tf.getBackend();
  let lose: (loss: { message: string }) => void = () => {};
  const lost = new Promise<{ message: string }>((resolve) => {
    lose = resolve;
  });
  const passing = Object.assign(new tf.KernelBackend(), { device: { lost }, dispose: () => {} });
  tf.registerBackend("passing", () => passing);
  expect(await tf.setBackend("passing")).toBe(true);
  const watch = watchDevice();
  watch.assertPresent(0);
  lose({ message: "lid closed" });
  await lost;
  tf.removeBackend("passing");

  const reasons: string[] = [];
  const result = await surviveDeviceLoss({
    run: async (loss) => {
      if (!loss) watch.assertPresent(0);
      return tf.getBackend();
    },
    restart: () => tf.setBackend(own),
    onLost: ({ reason }) => reasons.push(reason),
  });
  expect([result, reasons]).toEqual([own, ["lid closed"]]);
});

test("passes on what has another reason than a lost device", async () => {
  device();
  const error = new Error("disk full");
  const restart = () => Promise.reject(new Error("expected no restart"));
  const run = () => Promise.reject(error);
  await expect(surviveDeviceLoss({ run, restart })).rejects.toBe(error);
});

test("gives up when as many devices as it may try are lost before the run gets any further", async () => {
  const restarts: number[] = [];
  const run = async (loss?: DeviceLoss) => {
    // Gets further once, which is a reason to go on trying.
    const step = loss === undefined ? 4 : 7;
    throw new DeviceLostError({ step, reason: "driver reset" });
  };
  const restart = async (tried: number) => void restarts.push(tried);
  await expect(surviveDeviceLoss({ run, restart, tries: 2, pause: 1 })).rejects.toThrow(
    "device: expected it to last, got it lost after step 7 (driver reset), and so were 2 more before it got any further",
  );
  expect(restarts).toEqual([0, 0, 1]);
});

test("tries again to start a device, and at last says why none starts", async () => {
  let asked = 0;
  const lost = new DeviceLostError({ step: 12, reason: "unplugged" });
  const restart = async () => {
    asked++;
    throw new Error("WebGPU: expected an adapter, got none");
  };
  const run = () => Promise.reject(lost);
  await expect(surviveDeviceLoss({ run, restart, pause: 1 })).rejects.toThrow(
    "device: expected it to last, got it lost after step 12 (unplugged), and no other to start: WebGPU: expected an adapter, got none",
  );
  expect(asked).toBe(3);

  const late = async (loss?: DeviceLoss) => (loss ? "done" : run());
  const second = async () => {
    asked++;
    if (asked < 5) throw new Error("not yet");
  };
  expect(await surviveDeviceLoss({ run: late, restart: second, pause: 1 })).toBe("done");
  expect(asked).toBe(5);
});
