import { type BlobLike, type ByteSource, byteSource, readExactly } from "./byte-source.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { CheckpointError, quote } from "./checkpoint-error.ts";
import { openSafetensors } from "./open-safetensors.ts";
import { latin1 } from "./pickle/pickle-cursor.ts";
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
  const start = await readExactly(source, 0, Math.min(source.size, 64));
  // First, since the length that safetensors start with may have a pickle's or a zip file's bytes.
  if (isSafetensors(start)) return openSafetensors(source);
  if (isPytorch(start)) return openPytorch(source);
  throw new CheckpointError(
    `${source.name ?? "checkpoint"}: expected a safetensors file or one of torch.save, got ${nature(start)}`,
  );
}

/** A length of less than four gigabytes, and "{". */
function isSafetensors(start: Uint8Array): boolean {
  return start[8] === 0x7b && start.subarray(4, 8).every((byte) => byte === 0);
}

/** A zip file, or a pickle of protocol 2 to 5. */
function isPytorch([first, second = 0]: Uint8Array): boolean {
  const zip = first === 0x50 && second === 0x4b;
  const pickle = first === 0x80 && second >= 2 && second <= 5;
  return zip || pickle;
}

/** What other files are that are taken for checkpoints. */
function nature(start: Uint8Array): string {
  if (start.length === 0) return "an empty file";
  const text = latin1(start);
  if (text.startsWith("version https://git-lfs")) {
    return "a pointer of Git LFS in its place: git lfs pull fetches the file";
  }
  if (/^\s*<(!doctype|html|\?xml)/i.test(text)) return "a web page";
  return `a file that begins with ${quote(text.slice(0, 16))}`;
}
