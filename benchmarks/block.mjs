// A transformer block, forward and backward on wasm: ours against plain tfjs operations.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    tokens: { type: "string", default: "197" },
    sequences: { type: "string", default: "2" },
    dim: { type: "string", default: "384" },
    heads: { type: "string", default: "6" },
    rounds: { type: "string", default: "5" },
    side: { type: "string" },
  },
});
const [tokens, sequences, dim, heads, rounds] = [
  "tokens",
  "sequences",
  "dim",
  "heads",
  "rounds",
].map((name) => Number(values[name]));

if (values.side) await measure(values.side);
else compare();

/** Each side in a process of its own, since repairs stay; turn by turn, the best of each counts. */
function compare() {
  const self = fileURLToPath(import.meta.url);
  const turn = (side) =>
    JSON.parse(
      execFileSync(process.execPath, [self, ...process.argv.slice(2), "--side", side], {
        encoding: "utf8",
      }),
    );
  const best = { plain: undefined, ours: undefined };
  for (let round = 0; round < 2; round++) {
    for (const side of ["plain", "ours"]) {
      const result = turn(side);
      if (!best[side] || result.milliseconds < best[side].milliseconds) best[side] = result;
    }
  }
  const { plain, ours } = best;
  const report = {
    block: { tokens, sequences, dim, heads },
    plain,
    ours,
    speedup: plain.milliseconds / ours.milliseconds,
    memory: plain.peakBytes / ours.peakBytes,
    largestDifference: Math.max(...ours.probe.map((value, i) => Math.abs(value - plain.probe[i]))),
  };
  console.error(
    `plain tfjs ${plain.milliseconds.toFixed(1)} ms, ours ${ours.milliseconds.toFixed(1)} ms: ${report.speedup.toFixed(2)} times as fast, ${report.memory.toFixed(2)} times less memory`,
  );
  console.log(JSON.stringify(report));
}

async function measure(side) {
  const { startBackend } = await import("@dino/backend");
  const tf = await import("@tensorflow/tfjs-core");
  // Starting our way repairs wasm; the plain side sets the backend as tfjs's users do.
  await (side === "ours" ? startBackend("wasm") : stockWasm(tf));
  const params = parameters(tf);
  const x = tf.mul(filled(tf, [sequences * tokens, dim], 99), 3);
  const block = side === "ours" ? await ourBlock() : plainBlock(tf);
  const names = Object.keys(params);
  const step = () =>
    tf.engine().gradients(
      () => tf.sum(tf.square(block(params, x))),
      names.map((name) => params[name]),
      undefined,
      true,
    );

  const backend = tf.engine().backend;
  const make = backend.makeOutput;
  let peakBytes = 0;
  backend.makeOutput = function (...args) {
    const made = make.apply(this, args);
    peakBytes = Math.max(peakBytes, tf.memory().numBytes);
    return made;
  };
  const before = tf.memory().numBytes;
  let milliseconds = Number.POSITIVE_INFINITY;
  let probe = [];
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    const { value, grads } = tf.tidy(step);
    const [loss] = await value.data();
    milliseconds = Math.min(milliseconds, performance.now() - started);
    const last = await grads.at(-1).data();
    probe = [loss / 1e6, ...last.slice(0, 3)];
    tf.dispose([value, grads]);
  }
  console.log(JSON.stringify({ milliseconds, peakBytes: peakBytes - before, probe }));
}

async function stockWasm(tf) {
  await import("@dino/ops/gradients");
  const { createRequire } = await import("node:module");
  const { dirname } = await import("node:path");
  const require = createRequire(import.meta.resolve("@dino/backend"));
  const { setWasmPaths } = await import(require.resolve("@tensorflow/tfjs-backend-wasm"));
  setWasmPaths(`${dirname(require.resolve("@tensorflow/tfjs-backend-wasm"))}/`);
  await tf.setBackend("wasm");
}

async function ourBlock() {
  const { attentionBlock, mlpBlock } = await import("@dino/ops");
  const segments = [{ sequences, tokens }];
  return (params, x) =>
    mlpBlock(params, attentionBlock(params, x, { heads, segments }), { segments });
}

function plainBlock(tf) {
  const norm = (x, weight, bias) => {
    const mean = tf.mean(x, 1, true);
    const centred = tf.sub(x, mean);
    const variance = tf.mean(tf.square(centred), 1, true);
    return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-6))), weight), bias);
  };
  const linear = (x, weight, bias) => tf.add(tf.matMul(x, weight, false, true), bias);
  const gelu = (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
  const attention = (p, x) => {
    const qkv = linear(x, p["attn.qkv.weight"], p["attn.qkv.bias"]);
    const apart = tf.reshape(qkv, [sequences, tokens, 3, heads, dim / heads]);
    const [q, k, v] = tf.unstack(tf.transpose(apart, [2, 0, 3, 1, 4]));
    const scores = tf.mul(tf.matMul(q, k, false, true), (dim / heads) ** -0.5);
    const mixed = tf.transpose(tf.matMul(tf.softmax(scores), v), [0, 2, 1, 3]);
    return linear(tf.reshape(mixed, [-1, dim]), p["attn.proj.weight"], p["attn.proj.bias"]);
  };
  return (p, x) => {
    const y = tf.add(x, attention(p, norm(x, p["norm1.weight"], p["norm1.bias"])));
    const hidden = gelu(
      linear(norm(y, p["norm2.weight"], p["norm2.bias"]), p["mlp.fc1.weight"], p["mlp.fc1.bias"]),
    );
    return tf.add(y, linear(hidden, p["mlp.fc2.weight"], p["mlp.fc2.bias"]));
  };
}

function parameters(tf) {
  const shapes = {
    "norm1.weight": [dim],
    "norm1.bias": [dim],
    "attn.qkv.weight": [3 * dim, dim],
    "attn.qkv.bias": [3 * dim],
    "attn.proj.weight": [dim, dim],
    "attn.proj.bias": [dim],
    "norm2.weight": [dim],
    "norm2.bias": [dim],
    "mlp.fc1.weight": [4 * dim, dim],
    "mlp.fc1.bias": [4 * dim],
    "mlp.fc2.weight": [dim, 4 * dim],
    "mlp.fc2.bias": [dim],
  };
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape], i) => [name, filled(tf, shape, i)]),
  );
}

function filled(tf, shape, seed) {
  const scale = shape.length === 2 ? 1 / Math.sqrt(shape[1]) : 1;
  const values = Float32Array.from(
    { length: shape.reduce((a, b) => a * b, 1) },
    (_, i) => scale * Math.sin(0.7 * i + 1.3 * seed),
  );
  return tf.tensor(values, shape);
}
