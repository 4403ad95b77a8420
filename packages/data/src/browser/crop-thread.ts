import { type CropGroup, cropBlocks } from "@dino/augmentations";
import { type BatchPicture, createRender, type Sampling } from "../render.ts";

/** What a thread that makes crops is sent: first how to sample, then batches. */
export type ThreadMessage =
  | { readonly sampling: Sampling | undefined }
  | { readonly id: number; readonly batch: Batch };

/** The pictures of a step, and what is to be made of them. */
export interface Batch {
  readonly pictures: readonly BatchPicture[];
  readonly epoch: number;
  readonly groups: readonly CropGroup[];
}

/** What it answers: a block of bytes for each group, or an error. */
export interface ThreadAnswer {
  readonly id: number;
  readonly blocks?: readonly Uint8Array[];
  readonly error?: string;
}

/** The part of a worker's own scope that is used here. */
interface Scope {
  onmessage: ((message: MessageEvent<ThreadMessage>) => void) | null;
  postMessage(answer: ThreadAnswer, transfer: Transferable[]): void;
}

/**
 * The whole program of a thread that makes crops for `loader`: a worker whose module is
 * `import { serveCrops } from "@dino/data/browser"; serveCrops();`
 */
export function serveCrops(): void {
  const scope = globalThis as unknown as Scope;
  let make = batchMaker(undefined);
  scope.onmessage = ({ data }) => {
    if ("sampling" in data) {
      make = batchMaker(data.sampling);
      return;
    }
    const { id, batch } = data;
    try {
      const blocks = cropBlocks(batch.groups, batch.pictures.length);
      for (const _ of make(batch, blocks));
      scope.postMessage(
        { id, blocks },
        blocks.map(({ buffer }) => buffer as ArrayBuffer),
      );
    } catch (error) {
      scope.postMessage({ id, error: error instanceof Error ? error.message : String(error) }, []);
    }
  };
}

/** Fills blocks with a batch's crops, picture by picture. */
export function batchMaker(
  sampling: Sampling | undefined,
): (batch: Batch, blocks: readonly Uint8Array[]) => Iterable<void> {
  const render = createRender(sampling);
  const stop = new Int32Array(1); // nobody stops it: a batch is soon done
  return ({ pictures, epoch }, blocks) =>
    render({ pictures, epoch, blocks, batch: pictures.length, stop });
}
