/** What of a device the pool needs. */
export interface BufferMaker {
  readonly limits: Pick<GPUSupportedLimits, "maxBufferSize" | "maxStorageBufferBindingSize">;
  createBuffer(descriptor: GPUBufferDescriptor): GPUBuffer;
}

interface Entry {
  readonly buffer: GPUBuffer;
  /** In the order in which buffers were made. */
  readonly id: number;
  /** How many buffers had been taken in all when this one was. */
  taken: number;
}

/** After how many takings a buffer that nobody has taken goes back to the device, and how often to look. */
const patience = 16384;
const period = 4096;

/**
 * The buffers of a device by size and usage, in the place of tfjs's own manager. Of those that fit,
 * the one made first is taken: a step that takes and gives back as the one before gets the same
 * buffers, whose bind groups are there already. What a long while has not needed is destroyed.
 */
export class BufferPool {
  /** Bytes in buffers that are taken, and in all there are. */
  numBytesUsed = 0;
  numBytesAllocated = 0;
  /** How large a buffer may be. */
  readonly mostBytes: number;
  readonly #device: BufferMaker;
  /** By size and usage, the one made first at the end. */
  readonly #free = new Map<number, Entry[]>();
  readonly #used = new Map<GPUBuffer, Entry>();
  #made = 0;
  #isDisposed = false;
  #taken = 0;
  /** The size of the buffer that was made last. */
  #latest = 0;

  constructor(device: BufferMaker) {
    this.#device = device;
    const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
    this.mostBytes = Math.min(maxBufferSize, maxStorageBufferBindingSize);
  }

  /**
   * A buffer; if it is new and `mappedAtCreation`, it is mapped. `reuse` takes one that was given
   * back. An Error where it is larger than any buffer of the device may be.
   */
  acquireBuffer(size: number, usage: number, mappedAtCreation = false, reuse = true): GPUBuffer {
    const known = reuse ? this.#free.get(keyOf({ size, usage }))?.pop() : undefined;
    const entry = known ?? this.#make({ size, usage, mappedAtCreation });
    entry.taken = this.#taken++;
    this.#used.set(entry.buffer, entry);
    this.numBytesUsed += size;
    if (this.#taken % period === 0) this.#destroyIdle();
    return entry.buffer;
  }

  /** Gives a buffer back, or without `reuse` to the device. */
  releaseBuffer(buffer: GPUBuffer, reuse = true): void {
    if (this.#isDisposed) return; // tensors outlive a backend that was removed
    const entry = this.#used.get(buffer);
    if (entry === undefined) throw new Error("buffer: expected one of this pool, got another");
    this.#used.delete(buffer);
    this.numBytesUsed -= buffer.size;
    if (!reuse) {
      this.#destroy(entry);
      return;
    }
    const key = keyOf(buffer);
    const same = this.#free.get(key) ?? [];
    this.#free.set(key, same);
    let at = same.length;
    while (at > 0 && (same[at - 1] as Entry).id < entry.id) at--;
    same.splice(at, 0, entry);
  }

  /** What a device without memory left was asked for, in words. */
  outOfMemory(): string {
    const [latest, all] = [this.#latest, this.numBytesAllocated].map(megabytes);
    return `out of memory: expected room for ${all} in buffers, the last of ${latest}; take a smaller batch or model`;
  }

  getNumUsedBuffers(): number {
    return this.#used.size;
  }

  getNumFreeBuffers(): number {
    return [...this.#free.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** Destroys all buffers. */
  dispose(): void {
    for (const entry of [...this.#used.values(), ...[...this.#free.values()].flat()]) {
      this.#destroy(entry);
    }
    this.#used.clear();
    this.#free.clear();
    this.numBytesUsed = 0;
    this.#isDisposed = true;
  }

  #make(wanted: Required<Omit<GPUBufferDescriptor, "label">>): Entry {
    const { size } = wanted;
    if (size > this.mostBytes) {
      throw new Error(
        `WebGPU: expected a tensor of at most ${megabytes(this.mostBytes)}, which is as much as the adapter binds, got one of ${megabytes(size)}`,
      );
    }
    this.numBytesAllocated += size;
    this.#latest = size;
    let buffer: GPUBuffer;
    try {
      buffer = this.#device.createBuffer(wanted);
    } catch (error) {
      // One that is to be mapped at once is refused at once.
      throw new Error(`WebGPU: ${this.outOfMemory()}`, { cause: error });
    }
    return { buffer, id: this.#made++, taken: 0 };
  }

  #destroyIdle(): void {
    for (const [key, entries] of this.#free) {
      const kept = entries.filter(({ taken }) => taken > this.#taken - patience);
      if (kept.length === entries.length) continue;
      for (const entry of entries) if (!kept.includes(entry)) this.#destroy(entry);
      if (kept.length > 0) this.#free.set(key, kept);
      else this.#free.delete(key);
    }
  }

  #destroy({ buffer }: Entry): void {
    this.numBytesAllocated -= buffer.size;
    buffer.destroy();
  }
}

/** Flags of usage are ten bits. */
function keyOf({ size, usage }: { readonly size: number; readonly usage: number }): number {
  return 1024 * size + usage;
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}
