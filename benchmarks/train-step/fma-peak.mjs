// The processor's own peak on all cores, as one line of JSON: {"gflops"}, or {"reason"}.
import { availableParallelism } from "node:os";

const [precision, seconds] = process.argv.slice(2);
const nativePackage = "@dino/backend-native";

try {
  const { fmaPeakGflops } = await import(nativePackage);
  const threads = availableParallelism();
  const gflops = await fmaPeakGflops({ threads, precision, seconds: Number(seconds) });
  console.log(JSON.stringify(gflops > 0 ? { gflops } : { reason: `no ${precision}` }));
} catch (error) {
  console.log(JSON.stringify({ reason: error.message.split("\n")[0] }));
}
