/** What was asked of the device: by our kernels and by tfjs's own alike. */
export interface CallCounts {
  readonly dispatches: number;
  readonly submits: number;
  /** Bind groups that were made. */
  readonly bindGroups: number;
  /** Buffers that were made. */
  readonly buffers: number;
  /** Bytes that the host gave to the device: tensors and scalars. */
  readonly uploadedBytes: number;
}

interface Counting {
  /** Ends the counting and tells. */
  stop(): CallCounts;
}

type Method = (this: object, ...given: never[]) => unknown;
type Methods = Record<string, Method>;

/** `GPUBufferUsage.MAP_READ`: what is mapped of such a buffer comes from the device. */
const mapRead = 1;

/** Counts the calls of every device from now on. They take a little longer meanwhile. */
export function countCalls(): Counting {
  const counts = { dispatches: 0, submits: 0, bindGroups: 0, buffers: 0, uploadedBytes: 0 };
  const undo = [
    watch("GPUComputePassEncoder", "dispatchWorkgroups", () => counts.dispatches++),
    watch("GPUQueue", "submit", () => counts.submits++),
    watch("GPUDevice", "createBindGroup", () => counts.bindGroups++),
    watch("GPUDevice", "createBuffer", () => counts.buffers++),
    watch("GPUQueue", "writeBuffer", (_, __, given) => {
      const [, , data, , size] = given as readonly [
        unknown,
        unknown,
        ArrayBufferView,
        unknown,
        number?,
      ];
      counts.uploadedBytes += size ?? data.byteLength;
    }),
    watch("GPUBuffer", "getMappedRange", (buffer, range) => {
      const { usage } = buffer as { readonly usage: number };
      if ((usage & mapRead) === 0) counts.uploadedBytes += (range as ArrayBuffer).byteLength;
    }),
  ];
  return {
    stop: () => {
      for (const restore of undo) restore();
      return { ...counts };
    },
  };
}

/** Calls `see` after every call of a method; gives what puts the method back. */
function watch(
  type: string,
  method: string,
  see: (self: object, result: unknown, given: readonly unknown[]) => void,
): () => void {
  const { prototype } = (globalThis as unknown as Record<string, { readonly prototype: Methods }>)[
    type
  ] as { readonly prototype: Methods };
  const plain = prototype[method] as Method;
  prototype[method] = function (...given) {
    const result = plain.apply(this, given);
    see(this, result, given);
    return result;
  };
  return () => {
    prototype[method] = plain;
  };
}
