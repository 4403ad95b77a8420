import { existsSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

/** Loaded before the command line: takes its graphics device away once the file `LOSE_DEVICE_AT` lies there. */
if (isMainThread) {
  const { globals } = await import("webgpu");
  const { requestDevice } = globals.GPUAdapter.prototype;
  let isFirst = true;
  globals.GPUAdapter.prototype.requestDevice = async function (descriptor) {
    const device = await requestDevice.call(this, descriptor);
    if (isFirst) loseOnce(device);
    isFirst = false;
    return device;
  };
}

function loseOnce(device) {
  const timer = setInterval(() => {
    if (!existsSync(process.env.LOSE_DEVICE_AT)) return;
    clearInterval(timer);
    device.destroy();
  }, 5);
  timer.unref();
}
