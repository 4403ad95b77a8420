import { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
import { BufferPool } from "./buffer-pool.ts";
import { type Failures, failuresOf, readOrTell } from "./failures.ts";
import { createLru } from "./lru.ts";
import { alongAxis, layOut, type Program, wgslOf } from "./program.ts";
import { layInRow, type Place, wholeOf } from "./rows-of-tensors.ts";
import { type Tuning, tuningOf } from "./tuning.ts";

/** The parts of tfjs's backend that share its stream of commands, and that its types hide. */
interface Stream {
  computePassEncoder: GPUComputePassEncoder | null;
  readonly commandEncoder: GPUCommandEncoder;
  dispatchCountInPass: number;
}

/** What is bound of a buffer: all of it unless told otherwise, in bytes. */
type Binding = Pick<GPUBufferBinding, "offset" | "size"> & { readonly buffer: GPUBuffer };

/** A program as the device has it. */
interface Compiled {
  readonly id: number;
  readonly pipeline: GPUComputePipeline;
  /** The scalars' names in order, and their types as a word. */
  readonly names: readonly string[];
  readonly types: string;
}

/** What a program is run on. */
export interface Run {
  readonly reads: readonly tf.TensorInfo[];
  /** Tensors that are written: `output`s, or such as `inPlace` gives. */
  readonly writes: readonly tf.TensorInfo[];
  readonly scalars: Readonly<Record<string, number>>;
  readonly groups: number;
}

/**
 * What products multiply: float32, or halves with float32 sums. What a block keeps for its way
 * back is of the same kind; everything else, gradients too, is float32.
 */
export type Precision = "fp32" | "f16";

/** What the norm of a tensor leaves for what comes next. */
export interface Traces {
  /** Sums of squares of shares of its elements. */
  readonly squares: tf.TensorInfo;
  /** The tensor once more, in a row with others. */
  readonly copy?: tf.TensorInfo;
  /** What lies behind them all: for each stride of the row the sum of squares of the tensor there. */
  readonly squaresOfStrides?: tf.TensorInfo;
}

/** How many bind groups and buffers of scalars are kept: many times what a training step needs. */
const keptBindGroups = 16384;
const keptScalars = 4096;

/**
 * How many dispatches go to the device at once, stock ones among them. More would save little time, and
 * slow devices are given up for lost when they take seconds over what was submitted.
 */
const dispatchesOfSubmit = 48;

/**
 * tfjs's WebGPU backend, with a way to run programs that its own does not allow: several outputs,
 * in place, and with pipelines, bind groups and scalars that are made once. Both ways share one
 * stream of commands.
 */
export class DinoWebGPUBackend extends WebGPUBackend {
  readonly tuning: Tuning;
  /** How large a tensor may be. */
  readonly mostBytes: number;
  /** For what is computed from now on. */
  precision: Precision = "fp32";
  readonly #compiled = new Map<string, Compiled>();
  readonly #bufferIds = new WeakMap<GPUBuffer, number>();
  readonly #bindGroups = createLru<GPUBindGroup>(keptBindGroups);
  readonly #scalars = createLru<GPUBuffer>(keptScalars);
  /** What norms have left of the data that they are of. */
  readonly #traces = new Map<object, Traces>();
  /** Of the tensors that have no buffer of their own, by their data. */
  readonly #places = new Map<object, Place>();
  /** What has halves in it, by its data. */
  readonly #halves = new WeakSet<object>();
  #buffers = 0;
  readonly #failures: Failures;

  constructor(device: GPUDevice, info?: GPUAdapterInfo) {
    super(device, info);
    this.tuning = tuningOf(info);
    const pool = new BufferPool(device);
    this.mostBytes = pool.mostBytes;
    this.bufferManager = pool as unknown as WebGPUBackend["bufferManager"];
    this.#failures = failuresOf(device, () => pool.outOfMemory());
  }

  /**
   * The values of a tensor. An Error if the device refused any command before, for they are wrong
   * then, or if it was lost.
   */
  override async read(dataId: object): Promise<tf.backend_util.BackendValues> {
    const place = this.#places.get(dataId);
    if (place === undefined) return readOrTell(() => super.read(dataId), this.#failures);
    const copy = this.firstValues({ dataId, shape: [], dtype: "float32" }, [place.size]);
    try {
      return await this.read(copy.dataId);
    } finally {
      this.free(copy);
    }
  }

  /** A float32 tensor whose values are still to be written, all of them. */
  output(shape: readonly number[]): tf.TensorInfo {
    return this.makeTensorInfo([...shape], "float32");
  }

  /**
   * Like `output`, for what takes the place of a tensor that lives on until the step ends. It comes
   * from buffers kept apart, or all others of its size would be taken in another order in every step,
   * and make other bind groups.
   */
  successor({ shape, dtype }: tf.TensorInfo): tf.TensorInfo {
    const tensor = this.makeTensorInfo(shape, dtype);
    const { STORAGE, COPY_SRC, COPY_DST, INDIRECT } = GPUBufferUsage;
    const usage = STORAGE | COPY_SRC | COPY_DST | INDIRECT; // the last one is what tells them apart
    this.tensorMap.get(tensor.dataId).resource = this.bufferManager.acquireBuffer(
      4 * tf.util.sizeFromShape(shape),
      usage,
    );
    return tensor;
  }

  /**
   * Like `output`, for rows that products multiply and blocks keep: of halves in that precision, if
   * rows are of an even length, and `behind` them so many float32 numbers a row.
   */
  operand([rows, columns]: readonly [number, number], behind = 0): tf.TensorInfo {
    if (this.precision !== "f16" || columns % 2 === 1) return this.output([rows, columns + behind]);
    const { dataId, dtype } = this.output([rows, columns / 2 + behind]);
    this.#halves.add(dataId);
    return { dataId, shape: [rows, columns + behind], dtype };
  }

  /** A tensor for the tape, which counts bytes by the shape: with halves that is a shorter one. */
  kept(tensor: tf.TensorInfo): tf.TensorInfo {
    return this.isHalf(tensor)
      ? { ...tensor, shape: this.tensorMap.get(tensor.dataId).shape }
      : tensor;
  }

  /** Whether a tensor has halves in it. */
  isHalf({ dataId }: tf.TensorInfo): boolean {
    return this.#halves.has(dataId);
  }

  /** The same tensor once more, on the same values. */
  same(tensor: tf.TensorInfo, shape: readonly number[] = tensor.shape): tf.TensorInfo {
    this.incRef(tensor.dataId);
    return { dataId: tensor.dataId, shape: [...shape], dtype: tensor.dtype };
  }

  /** A tensor to write over by one who consumes this one: itself if nobody else has its values, else a copy. */
  inPlace(tensor: tf.TensorInfo): tf.TensorInfo {
    const data = this.tensorMap.get(tensor.dataId);
    if (data.refCount === 1 && data.external !== true) {
      this.uploadToGPU(tensor.dataId);
      return this.same(tensor);
    }
    return this.firstValues(tensor, tensor.shape);
  }

  /** A copy of the tensor's first values, as many as the shape asks for. */
  firstValues(tensor: tf.TensorInfo, shape: readonly number[]): tf.TensorInfo {
    const copy = this.output(shape);
    this.#copy(tensor, copy);
    return copy;
  }

  #copy(from: tf.TensorInfo, to: tf.TensorInfo): void {
    this.#copyValues(this.#bindingOf(from.dataId), this.#bindingOf(to.dataId));
  }

  /** As many values as the second one takes. */
  #copyValues(from: Binding, to: Binding): void {
    const { buffer, offset = 0, size = buffer.size } = to;
    this.ensureCommandEncoderReady();
    this.endComputePassEncoder();
    this.#stream.commandEncoder.copyBufferToBuffer(
      from.buffer,
      from.offset ?? 0,
      buffer,
      offset,
      size,
    );
  }

  /** Gives back a tensor that no one but the caller has. */
  free(...tensors: readonly tf.TensorInfo[]): void {
    for (const { dataId } of tensors) this.disposeData(dataId);
  }

  /**
   * Tensors that lie one behind the other in one buffer, so that a program may take them all by
   * binding one: `whole`. Each begins at a multiple of 64 elements; what lies between is anything.
   */
  row(shapes: readonly (readonly number[])[]): {
    readonly whole: tf.TensorInfo;
    readonly parts: tf.TensorInfo[];
  } {
    const sizes = shapes.map((shape) => tf.util.sizeFromShape([...shape]));
    const { starts, length } = layInRow(sizes);
    const whole = this.output([length]);
    this.uploadToGPU(whole.dataId);
    const parts = shapes.map((shape, i) => {
      const part = this.output(shape);
      const [start, size] = [starts[i] as number, sizes[i] as number];
      this.#places.set(part.dataId, { whole: this.same(whole), start, size });
      return part;
    });
    return { whole, parts };
  }

  /** The row that these tensors make, in this order and without any other: not once more. */
  rowOf(tensors: readonly tf.TensorInfo[]): tf.TensorInfo | undefined {
    return wholeOf(tensors.map(({ dataId }) => this.#places.get(dataId)));
  }

  /**
   * Like `inPlace` for several tensors, of which a row is made where they are none yet. Each is to
   * be replaced by its part.
   */
  inRow(tensors: readonly tf.TensorInfo[]): ReturnType<DinoWebGPUBackend["row"]> {
    const whole = this.rowOf(tensors);
    if (whole && tensors.every(({ dataId }) => this.refCount(dataId) === 1)) {
      return { whole: this.same(whole), parts: tensors.map((tensor) => this.same(tensor)) };
    }
    const row = this.row(tensors.map(({ shape }) => shape));
    tensors.forEach((tensor, i) => {
      this.#copy(tensor, row.parts[i] as tf.TensorInfo);
    });
    return row;
  }

  /** Keeps what a norm has left of a tensor for as long as its values stay. */
  keepTraces({ dataId }: tf.TensorInfo, traces: Traces): void {
    this.#forgetTraces(dataId);
    this.#traces.set(dataId, traces);
    for (const tensor of Object.values(traces) as tf.TensorInfo[]) this.incRef(tensor.dataId);
  }

  /** What norms have left of a tensor: not once more. */
  tracesOf({ dataId }: tf.TensorInfo): Traces | undefined {
    return this.#traces.get(dataId);
  }

  override disposeData(dataId: object, force = false): boolean {
    if (force || this.refCount(dataId) <= 1) {
      this.#forgetTraces(dataId);
      this.#leaveRow(dataId);
    }
    return super.disposeData(dataId, force);
  }

  #forgetTraces(dataId: object): void {
    const traces = this.#traces.get(dataId);
    if (traces === undefined) return;
    this.#traces.delete(dataId);
    this.free(...(Object.values(traces) as tf.TensorInfo[]));
  }

  #leaveRow(dataId: object): void {
    const place = this.#places.get(dataId);
    if (place === undefined) return;
    this.#places.delete(dataId);
    this.free(place.whole);
  }

  /** Gives a tensor a buffer of its own, as tfjs expects of all. */
  override uploadToGPU(dataId: object): void {
    const place = this.#places.get(dataId);
    if (place === undefined) {
      super.uploadToGPU(dataId);
      return;
    }
    const from = this.#bindingOf(dataId);
    this.#places.delete(dataId);
    super.uploadToGPU(dataId);
    this.#copyValues(from, this.#bindingOf(dataId));
    this.free(place.whole);
  }

  override readSync(dataId: object): tf.backend_util.BackendValues {
    if (this.#places.has(dataId)) this.uploadToGPU(dataId);
    return super.readSync(dataId);
  }

  override readToGPU(dataId: object): tf.GPUData {
    if (this.#places.has(dataId)) this.uploadToGPU(dataId);
    return super.readToGPU(dataId);
  }

  override shouldExecuteOnCPU(inputs: tf.TensorInfo[], sizeThreshold?: number): boolean {
    return (
      super.shouldExecuteOnCPU(inputs, sizeThreshold) &&
      !inputs.some(({ dataId }) => this.#places.has(dataId))
    );
  }

  /** Records a program behind what was recorded before. */
  run(program: Program, { reads, writes, scalars, groups }: Run): void {
    if (groups === 0) return;
    const compiled = this.#compile(program);
    const { id, pipeline } = compiled;
    const bindings: Binding[] = [];
    let key = `${id}`;
    for (const tensors of [writes, reads]) {
      for (const { dataId } of tensors) {
        const binding = this.#bindingOf(dataId, tensors === writes);
        bindings.push(binding);
        key += ` ${this.#idOf(binding.buffer)}`;
        if (binding.size !== undefined) key += `+${binding.offset}:${binding.size}`;
      }
    }
    const tensors = this.#bindGroups.take(key, () => this.#bindGroup(pipeline, 0, bindings));
    const told = this.#bindGroupOf(compiled, program, scalars);
    this.ensureCommandEncoderReady();
    const stream = this.#stream;
    stream.computePassEncoder ??= stream.commandEncoder.beginComputePass();
    const pass = stream.computePassEncoder;
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, tensors);
    pass.setBindGroup(1, told);
    if (groups <= alongAxis) pass.dispatchWorkgroups(groups);
    else pass.dispatchWorkgroups(...layOut(groups));
    stream.dispatchCountInPass++;
    if (stream.dispatchCountInPass >= dispatchesOfSubmit) {
      this.endComputePassEncoder();
      this.submitQueue();
    }
  }

  #bindGroup(
    pipeline: GPUComputePipeline,
    place: number,
    bindings: readonly Binding[],
  ): GPUBindGroup {
    return this.device.createBindGroup({
      layout: pipeline.getBindGroupLayout(place),
      entries: bindings.map((resource, binding) => ({ binding, resource })),
    });
  }

  /** The scalars' bind group, apart from the tensors', for some scalars are others in every step. */
  #bindGroupOf(
    { id, pipeline, names, types }: Compiled,
    program: Program,
    scalars: Readonly<Record<string, number>>,
  ): GPUBindGroup {
    let values = "";
    for (const name of names) values += ` ${scalars[name]}`;
    return this.#bindGroups.take(`${id}:${values}`, () => {
      const make = () => this.#scalarsOf(program, scalars);
      const buffer = this.#scalars.take(types + values, make);
      return this.#bindGroup(pipeline, 1, [{ buffer }]);
    });
  }

  get #stream(): Stream {
    return this as unknown as Stream;
  }

  #bindingOf(dataId: object, isWritten = false): Binding {
    if (this.#places.size > 0) {
      const place = this.#places.get(dataId);
      // A row that a program reads may not be written by it in another place.
      if (place && isWritten) this.uploadToGPU(dataId);
      else if (place) {
        const buffer = this.tensorMap.get(place.whole.dataId).resource as GPUBuffer;
        return { buffer, offset: 4 * place.start, size: 4 * place.size };
      }
    }
    const data = this.tensorMap.get(dataId);
    if (data.resource == null) this.uploadToGPU(dataId);
    if (isWritten) {
      // What was read once would be taken for what is there now.
      (data as { values: unknown }).values = null;
      if (this.#traces.size > 0) this.#forgetTraces(dataId);
    }
    return { buffer: data.resource as GPUBuffer };
  }

  #idOf(buffer: GPUBuffer): number {
    const known = this.#bufferIds.get(buffer);
    if (known !== undefined) return known;
    this.#bufferIds.set(buffer, ++this.#buffers);
    return this.#buffers;
  }

  #compile(program: Program): Compiled {
    const known = this.#compiled.get(program.name);
    if (known !== undefined) return known;
    const module = this.device.createShaderModule({ label: program.name, code: wgslOf(program) });
    const pipeline = this.device.createComputePipeline({
      label: program.name,
      layout: "auto",
      compute: { module, entryPoint: "main" },
    });
    const names = Object.keys(program.scalars);
    const types = names.map((name) => program.scalars[name]).join();
    const compiled = { id: this.#compiled.size, pipeline, names, types };
    this.#compiled.set(program.name, compiled);
    return compiled;
  }

  /** A buffer with these numbers. It is never destroyed, since bind groups that are kept may hold it. */
  #scalarsOf({ scalars: types }: Program, values: Readonly<Record<string, number>>): GPUBuffer {
    const names = Object.keys(types);
    const size = 4 * Math.ceil(names.length / 4) * 4;
    const words = new DataView(new ArrayBuffer(size));
    names.forEach((name, i) => {
      const value = values[name] as number;
      if (types[name] === "u32") words.setUint32(4 * i, value, true);
      else words.setFloat32(4 * i, value, true);
    });
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    const buffer = this.device.createBuffer({ size, usage });
    this.queue.writeBuffer(buffer, 0, words.buffer);
    return buffer;
  }
}
