import * as tf from "@tensorflow/tfjs-core";
import {
  BROWSER_ENVS,
  CHROME_ENVS,
  type Constraints,
  setTestEnvs,
} from "@tensorflow/tfjs-core/dist/jasmine_util.js";
import { registerNativeBackend } from "../../src/register.ts";

registerNativeBackend();
// Else tfjs would run the suite on it, and say nothing, where `native` does not start.
tf.removeBackend("cpu");

// Some of what tfjs keeps for browsers needs none, and is about kernels: our list decides.
const opened: Constraints[] = [BROWSER_ENVS, CHROME_ENVS];
for (const constraints of opened) {
  delete constraints.predicate;
  delete constraints.flags;
}
setTestEnvs([{ name: "native", backendName: "native", isDataSync: true }]);
