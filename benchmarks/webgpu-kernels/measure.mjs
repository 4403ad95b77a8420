import * as tf from "@tensorflow/tfjs-core";

/** More than a step of twelve blocks has. */
const mostDispatches = 1024;

/** What our kernels of one call of `train` take, the best of so many, by what they are: the longest first. */
export async function measureKernels(train, times) {
  let best;
  for (let i = 0; i < times; i++) {
    const found = await measured(train);
    const total = sumOf(found);
    if (best === undefined || total < sumOf(best)) best = found;
  }
  return grouped(best);
}

const sumOf = (all) => all.reduce((sum, { milliseconds }) => sum + milliseconds, 0);

/** Every dispatch in a pass of its own between two time stamps. */
async function measured(train) {
  const backend = tf.backend();
  const { device } = backend;
  const querySet = device.createQuerySet({ type: "timestamp", count: 2 * mostDispatches });
  const bytes = 16 * mostDispatches;
  const { QUERY_RESOLVE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const resolved = device.createBuffer({ size: bytes, usage: QUERY_RESOLVE | COPY_SRC });
  const read = device.createBuffer({ size: bytes, usage: COPY_DST | MAP_READ });
  const calls = [];
  const { run } = Object.getPrototypeOf(backend);
  backend.run = (program, call) => {
    if (call.groups === 0) return;
    const at = 2 * calls.length;
    calls.push({ program, call, bytes: bytesOf(call) });
    backend.ensureCommandEncoderReady();
    backend.endComputePassEncoder();
    backend.computePassEncoder = backend.commandEncoder.beginComputePass({
      timestampWrites: { querySet, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 },
    });
    run.call(backend, program, call);
    if (backend.commandEncoder) backend.endComputePassEncoder();
  };
  await train();
  delete backend.run;
  if (calls.length > mostDispatches)
    throw new Error(`expected ${mostDispatches} dispatches at most`);
  const encoder = device.createCommandEncoder();
  encoder.resolveQuerySet(querySet, 0, 2 * calls.length, resolved, 0);
  encoder.copyBufferToBuffer(resolved, 0, read, 0, bytes);
  device.queue.submit([encoder.finish()]);
  await read.mapAsync(GPUMapMode.READ);
  const stamps = new BigUint64Array(read.getMappedRange());
  const found = calls.map(({ program, call, bytes }, i) => ({
    name: nameOf(program.name),
    milliseconds: Number(stamps[2 * i + 1] - stamps[2 * i]) / 1e6,
    bytes,
    flops: flopsOf(program.name, call),
  }));
  read.unmap();
  for (const resource of [querySet, resolved, read]) resource.destroy();
  return found;
}

/** What a program is, without the sizes and options that it was made for. */
function nameOf(name) {
  if (!name.startsWith("matMul")) return name.split(" ")[0];
  const options = JSON.parse(name.slice("matMul ".length));
  const letters = `${options.transposeA ? "aT" : "a"} ${options.transposeB ? "bT" : "b"}`;
  const more = ["geluOfB", "sumsOfA", "activation", "slope", "residual", "innerFactors"];
  return ["product", letters, ...more.filter((key) => options[key])].join(" ");
}

function flopsOf(name, { scalars }) {
  if (!name.startsWith("matMul")) return undefined;
  return 2 * scalars.rows * scalars.columns * scalars.inner * (scalars.batch || 1);
}

/** All that it binds, once. */
function bytesOf({ reads, writes }) {
  return [...reads, ...writes].reduce(
    (sum, { shape }) => sum + 4 * tf.util.sizeFromShape(shape),
    0,
  );
}

function grouped(all) {
  const groups = Map.groupBy
    ? Map.groupBy(all, ({ name }) => name)
    : all.reduce((map, one) => map.set(one.name, [...(map.get(one.name) ?? []), one]), new Map());
  return [...groups]
    .map(([name, calls]) => {
      const milliseconds = sumOf(calls);
      const total = (key) => calls.reduce((sum, call) => sum + call[key], 0);
      return {
        name,
        calls: calls.length,
        milliseconds,
        ...(calls[0].flops !== undefined && { gflops: total("flops") / milliseconds / 1e6 }),
        gigabytesPerSecond: total("bytes") / milliseconds / 1e6,
      };
    })
    .sort((a, b) => b.milliseconds - a.milliseconds);
}
