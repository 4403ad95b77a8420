import { kernelsModule } from "./kernels-module.ts";

/** The compiled loops of `kernels/kernels.ts`, which tells what they do with these addresses and numbers. */
interface Loops {
  resizeRows(
    source: number,
    stride: number,
    rows: number,
    entries: number,
    weights: number,
    width: number,
    target: number,
    targetStride: number,
  ): void;
  resizeColumns(
    source: number,
    stride: number,
    entries: number,
    weights: number,
    height: number,
    width: number,
    target: number,
  ): void;
  transpose(
    source: number,
    stride: number,
    height: number,
    width: number,
    target: number,
    targetStride: number,
  ): void;
  blurColumns(
    source: number,
    stride: number,
    height: number,
    width: number,
    radius: number,
    inner: number,
    outer: number,
    target: number,
  ): void;
}

/** The loops and the memory that they work in. */
export interface Kernels {
  readonly loops: Loops;
  /**
   * The memory, of `length` bytes at least; what is in it stays. `undefined` when it cannot become
   * as large.
   */
  memory(length: number): Uint8Array | undefined;
}

/** Bytes of a vector. */
export const vector = 16;

/** `bytes`, or as many more as fill whole vectors. */
export function vectors(bytes: number): number {
  return Math.ceil(bytes / vector) * vector;
}

/** The kernels; `undefined` where there is no WebAssembly with vectors. */
export function kernels(): Kernels | undefined {
  if (made === undefined) made = makeKernels() ?? null;
  return made ?? undefined;
}

let made: Kernels | null | undefined;

const page = 2 ** 16;
const pagesAtMost = 2 ** 14;

function makeKernels(): Kernels | undefined {
  try {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: pagesAtMost });
    const module = new WebAssembly.Module(bytesOf(kernelsModule));
    const loops = new WebAssembly.Instance(module, { env: { memory } }).exports;
    let bytes = new Uint8Array(memory.buffer);
    return {
      loops,
      memory: (length) => {
        const missing = Math.ceil((length - bytes.length) / page);
        if (missing <= 0) return bytes;
        if (bytes.length / page + missing > pagesAtMost) return undefined;
        try {
          memory.grow(missing);
        } catch {
          return undefined;
        }
        bytes = new Uint8Array(memory.buffer);
        return bytes;
      },
    };
  } catch {
    return undefined; // no vectors, or a page that forbids compiling: the plain loops do the same
  }
}

/** What is written in base 64. Neither Node's `Buffer` nor a browser's `atob` is everywhere. */
function bytesOf(base64: string): Uint8Array {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const text = base64.replaceAll("=", "");
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let [bits, value, at] = [0, 0, 0];
  for (const digit of text) {
    value = ((value << 6) | digits.indexOf(digit)) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = value >> bits;
  }
  return bytes;
}

/** What we use of it. Its types come with the DOM's, which this package does without. */
declare const WebAssembly: {
  readonly Memory: new (limits: {
    readonly initial: number;
    readonly maximum: number;
  }) => { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Loops };
};
