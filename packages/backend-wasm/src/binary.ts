/** A WebAssembly module as text, which loads without a path or a request. */
export interface Binary {
  readonly base64: string;
  /** Where the size of its imports is written, a byte. */
  readonly importsSize: number;
  /** Where the limits of the memory that it imports are written: none. */
  readonly memoryLimits: number;
}

declare function atob(base64: string): string;

/** The module's bytes. */
export function decode({ base64 }: Binary): Uint8Array {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/** The same module for a memory that threads share: such a one must be declared, with a maximum. */
export function forSharedMemory(
  bytes: Uint8Array,
  { importsSize, memoryLimits }: Binary,
): Uint8Array {
  const limits = [3, 0, 0x80, 0x80, 0x04]; // shared, from 0 to 65,536 pages
  const rest = bytes.subarray(memoryLimits + 2);
  const changed = Uint8Array.of(...bytes.subarray(0, memoryLimits), ...limits, ...rest);
  changed[importsSize] = (changed[importsSize] as number) + limits.length - 2;
  return changed;
}
