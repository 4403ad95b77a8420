import { type BlobLike, type ByteSource, byteSource, readExactly } from "./byte-source.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { openSafetensors } from "./open-safetensors.ts";
import { openPytorch } from "./pytorch/open-pytorch.ts";

/**
 * Opens a checkpoint that lies in memory, in a `Blob` or `File`, or in any byte source, such as
 * `httpSource(url)`: safetensors, or PyTorch's `torch.save` of either kind. Its first bytes tell
 * which, not its name.
 */
export async function openCheckpoint(
  from: ByteSource | BlobLike | Uint8Array,
): Promise<Checkpoint> {
  const source = byteSource(from);
  const start = await readExactly(source, 0, Math.min(source.size, 9));
  return isPytorch(start) ? openPytorch(source) : openSafetensors(source);
}

/**
 * A zip file, or a pickle of protocol 2 to 5. The length that safetensors start with may have the
 * same two bytes, but it is short of four bytes and "{" follows it.
 */
function isPytorch(start: Uint8Array): boolean {
  const [first, second = 0] = start;
  if (start[8] === 0x7b && start.subarray(4, 8).every((byte) => byte === 0)) return false;
  const zip = first === 0x50 && second === 0x4b;
  const pickle = first === 0x80 && second >= 2 && second <= 5;
  return zip || pickle;
}
