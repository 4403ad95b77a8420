import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const file = (path) => fileURLToPath(new URL(path, import.meta.url));
const seconds = "1.5";

/**
 * GFLOP/s that can be had at most, and by what that is known: fused multiplications and additions
 * in registers (`fma`) where the native package measures them, else PyTorch's product of large
 * squares (`matmul`), which lies below. Nothing where there is neither.
 */
export function measurePeak(precision, peer) {
  const fma = run(process.execPath, [file("./fma-peak.mjs"), precision, seconds]);
  if (fma.gflops !== undefined) return { kind: "fma", gflops: fma.gflops };
  if (peer === undefined) return undefined;
  const { python, threads, environment } = peer;
  const script = file("../peers/matmul_peak.py");
  const { gflops } = run(python, [script, precision, seconds, String(threads)], environment);
  return { kind: "matmul", gflops };
}

/** The higher of two peaks; machines slow down, they do not speed up. */
export function higher(a, b) {
  if (a === undefined || b === undefined) return a ?? b;
  return b.gflops > a.gflops ? b : a;
}

function run(command, args, environment = {}) {
  const output = execFileSync(command, args, {
    encoding: "utf8",
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "ignore"],
  });
  return JSON.parse(output.trim().split("\n").at(-1));
}
