import { type Saveable, streamPytorch } from "../torch-save/stream-pytorch.ts";
import { writeWhole } from "./write-whole.ts";

/**
 * Writes what `torch.save` would, whole or not at all: a file that `torch.load` reads, with
 * `weights_only=True` too. Tensors are read back one by one and stay the caller's.
 */
export async function writePytorch(path: string, root: Saveable): Promise<void> {
  await writeWhole(path, streamPytorch(root, path));
}
