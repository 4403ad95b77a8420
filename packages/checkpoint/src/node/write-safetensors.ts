import {
  type Entries,
  type Metadata,
  streamSafetensors,
  type Writable,
} from "../encode-safetensors.ts";
import { writeWhole } from "./write-whole.ts";

/**
 * Writes tensors to a safetensors file, whole or not at all: a crash at any moment leaves the old
 * file or the new one. Tensors are read back one by one and stay the caller's.
 */
export async function writeSafetensors(
  path: string,
  entries: Entries<Writable>,
  metadata: Metadata = {},
): Promise<void> {
  await writeWhole(path, streamSafetensors(entries, metadata));
}
