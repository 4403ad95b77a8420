import type { Pixels } from "@dino/ops";
import { kernels, vectors } from "./kernels.ts";

/** The bytes of the picture that the kernels' memory begins with. */
let held: Uint8Array | undefined;

/** What `use` gives, while `picture` lies in the kernels' memory and need not be copied each time. */
export function holding<T>(picture: Pixels, use: () => T): T {
  const memory = kernels()?.memory(picture.data.length);
  if (memory === undefined) return use();
  memory.set(picture.data);
  held = picture.data;
  try {
    return use();
  } finally {
    held = undefined; // its bytes may change from now on
  }
}

/** Whether these bytes lie in the kernels' memory, at address 0. */
export function isHeld(data: Uint8Array): boolean {
  return data === held;
}

/** The first address behind the picture that is held. */
export function freeAddress(): number {
  return vectors(held?.length ?? 0);
}
