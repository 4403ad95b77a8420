/** The parts of a device's events that are needed, whose types are the DOM's. */
interface ErrorSource {
  addEventListener(
    name: "uncapturederror",
    take: (event: { readonly error: { readonly message: string }; preventDefault(): void }) => void,
  ): void;
}

declare const GPUOutOfMemoryError: abstract new (...given: never[]) => object;

/** What went wrong on a device. */
export interface Failures {
  /** What it refused first, or that it was lost; undefined as long as nothing went wrong. */
  first(): string | undefined;
}

/**
 * Remembers the first thing that a device refuses, or that it is lost. Nothing of it is printed, as
 * Dawn and browsers would: who reads a tensor next is to be told. `memory` says in words what a
 * device without memory left was asked for.
 */
export function failuresOf(device: GPUDevice, memory: () => string): Failures {
  let refused: string | undefined;
  let lost: string | undefined;
  device.lost.then(({ message }) => {
    lost = `the device was lost: ${message || "no reason given"}`;
  });
  (device as unknown as ErrorSource).addEventListener("uncapturederror", (event) => {
    event.preventDefault();
    const { error } = event;
    refused ??= error instanceof GPUOutOfMemoryError ? memory() : error.message.trim();
  });
  return { first: () => lost ?? refused };
}

/** What `read` gives; an Error if the device has refused something before, for the values are wrong then. */
export async function readOrTell<T>(read: () => Promise<T>, failures: Failures): Promise<T> {
  try {
    const values = await read();
    if (failures.first() === undefined) return values;
  } catch (error) {
    await Promise.resolve(); // that the device was lost is told in its turn
    if (failures.first() === undefined) throw error;
  }
  throw new Error(`WebGPU: ${failures.first()}`);
}
