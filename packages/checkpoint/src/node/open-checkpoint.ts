import { type FileHandle, open } from "node:fs/promises";
import type { ByteSource } from "../byte-source.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { CheckpointError } from "../checkpoint-error.ts";
import { openCheckpoint as openSource } from "../open-checkpoint.ts";

/**
 * Opens a checkpoint by its path: safetensors, or PyTorch's `torch.save` of either kind. The file
 * is held open only while something is read, so there is nothing to close; one that has changed in
 * between is an error.
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  return openSource(await fileSource(path));
}

/** The bytes of the file that now lies at `path`. */
async function fileSource(path: string): Promise<ByteSource> {
  const opened = await withFile(path, identify);
  return {
    name: path,
    size: opened.size,
    read: (offset, length) =>
      withFile(path, async (file) => {
        const now = await identify(file);
        if (now.version !== opened.version) {
          throw new CheckpointError(
            `${path}: expected the file that was opened, got another in its place: open it anew`,
          );
        }
        return readBytes(file, offset, length);
      }),
  };
}

async function withFile<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    return await use(file);
  } catch (cause) {
    if (cause instanceof CheckpointError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CheckpointError(`${path}: expected a file that can be read, got ${reason}`, {
      cause,
    });
  } finally {
    await file?.close();
  }
}

/** Its size, and what differs once a path has another file or the file other bytes. */
async function identify(
  file: FileHandle,
): Promise<{ readonly size: number; readonly version: string }> {
  const { dev, ino, size, mtimeNs } = await file.stat({ bigint: true });
  return { size: Number(size), version: `${dev}:${ino}:${size}:${mtimeNs}` };
}

async function readBytes(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const part = Math.min(length - done, 2 ** 30); // one call reads less than 2 GiB
    const { bytesRead } = await file.read(bytes, done, part, offset + done);
    if (bytesRead === 0) return bytes.subarray(0, done);
    done += bytesRead;
  }
  return bytes;
}
