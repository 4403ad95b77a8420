// k-NN against more features than memory should hold: how fast, and how much memory it takes.
//   node --expose-gc benchmarks/knn.mjs [--rows 2000000] [--queries 2000] [--dim 384] [--backend auto]
// Features are random, lie in safetensors files of 64 MiB in a temporary folder, and are read as
// `dino eval knn` reads them.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startBackend } from "@dino/backend";
import { openCheckpoint, writeSafetensors } from "@dino/checkpoint/node";
import { knn } from "@dino/evaluation";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "2000000" },
    queries: { type: "string", default: "2000" },
    dim: { type: "string", default: "384" },
    backend: { type: "string", default: "auto" },
  },
});
const [count, queries, dim] = [Number(values.rows), Number(values.queries), Number(values.dim)];
console.log(await startBackend(values.backend));

/** Numbers that look random, `of` of them. */
function noise(of, seed) {
  const values = new Float32Array(of);
  let state = seed;
  for (let i = 0; i < of; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    values[i] = state / 2 ** 31;
  }
  return values;
}

const folder = mkdtempSync(join(tmpdir(), "dino-knn-"));
let peak = 0;
const watch = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage().rss);
}, 50);
try {
  const step = Math.floor(2 ** 24 / dim);
  const files = [];
  for (let first = 0; first < count; first += step) {
    const rows = Math.min(step, count - first);
    const path = join(folder, `${first}.safetensors`);
    const features = { dtype: "F32", shape: [rows, dim], data: noise(rows * dim, first + 1) };
    await writeSafetensors(path, { features });
    files.push(await openCheckpoint(path));
  }
  const labels = Int32Array.from({ length: count }, (_, i) => i % 1000);
  const train = {
    ...{ count, dim, labels },
    read: async (first, length) => {
      const rows = new Float32Array(length * dim);
      for (let done = 0; done < length; ) {
        const at = first + done;
        const some = Math.min(length - done, step - (at % step));
        const { data } = await files[Math.floor(at / step)].readRows("features", at % step, some);
        rows.set(data, done * dim);
        done += some;
      }
      return rows;
    },
  };
  const test = {
    ...{ rows: noise(queries * dim, 7), count: queries, dim },
    labels: Int32Array.from({ length: queries }, (_, i) => i % 1000),
  };
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  peak = before;
  const start = performance.now();
  let foretold;
  const result = await knn(train, test, {
    k: [10, 20, 100, 200],
    onProgress: ({ done, total }) => {
      const seconds = (performance.now() - start) / 1000;
      if (foretold === undefined && done >= 0.05 * total) foretold = (seconds * total) / done;
    },
  });
  const seconds = (performance.now() - start) / 1000;
  const gigabytes = (bytes) => `${(bytes / 1e9).toFixed(2)} GB`;
  console.log(`${queries} queries, ${count} rows of ${dim}: ${seconds.toFixed(1)} s`);
  console.log(`foretold after a twentieth: ${foretold.toFixed(1)} s`);
  console.log(`${((2 * queries * count * dim) / seconds / 1e9).toFixed(0)} GFLOP/s in all`);
  console.log(`50,000 queries would take ${((seconds * 50000) / queries / 60).toFixed(1)} min`);
  console.log(
    `features: ${gigabytes(4 * count * dim)}; memory: ${gigabytes(before)} before, ${gigabytes(peak)} at most`,
  );
  console.log(`top-1 ${result.top1[20].toFixed(2)} % (chance: 0.1 %)`);
} finally {
  clearInterval(watch);
  rmSync(folder, { recursive: true });
}
