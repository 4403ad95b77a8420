import {
  type CropGroup,
  cropBlocks,
  type Seen,
  type ViewPolicy,
  viewTensors,
} from "@dino/augmentations";
import { imageTensor, type Pixels } from "@dino/ops";
import { assertCount } from "../assert-count.ts";
import type { Crops, Loader, StepsOptions } from "../batches.ts";
import { type Dataset, nameOf } from "../dataset.ts";
import { DataError } from "../errors.ts";
import { epochOrder, viewKey } from "../keys.ts";
import { prefetched } from "../prefetched.ts";
import type { BatchPicture, Sampling } from "../render.ts";
import { type Batch, batchMaker, type ThreadAnswer, type ThreadMessage } from "./crop-thread.ts";
import { turn } from "./turn.ts";

export interface LoaderOptions {
  /** How the crops of a picture are sampled. */
  readonly views: ViewPolicy;
  /** Pictures in a batch. */
  readonly batchSize: number;
  /** Fixes the order of every epoch and the views of every picture. */
  readonly seed: number;
  /** A thread that makes the crops, whose program is `serveCrops`; without it, this thread does. */
  readonly worker?: Worker;
  /** Steps that are prepared while the consumer works on one. Default 2. */
  readonly prefetch?: number;
  /**
   * Where crops are made: in `worker`, or of a whole batch at once by the backend, which `worker` is
   * nothing to. The crops are the same; without a kernel for it, they are then made on this thread.
   */
  readonly augment?: "threads" | "device";
}

/**
 * Batches of crops for training, the same that `loader` of `@dino/data/node` gives for the same
 * pixels: every epoch goes through the pictures in an order of its own, and sees each by new views.
 * A picture that cannot be read is an error: `heldPictures` leaves those out beforehand.
 */
export function loader(
  dataset: Dataset,
  { views, batchSize, seed, worker, prefetch = 2, augment = "threads" }: LoaderOptions,
): Loader {
  assertCount("batchSize", batchSize, 1);
  assertCount("prefetch", prefetch, 1);
  const { length } = dataset;
  if (length < batchSize) {
    const reason = `expected at least a batch of ${batchSize} pictures, got ${length}`;
    throw new DataError(nameOf(dataset), reason);
  }
  const perEpoch = Math.floor(length / batchSize);
  const onDevice = augment === "device";
  // Threads sample by themselves where they can, and keep what they were sent.
  const sampling = (!onDevice && views.options && { options: views.options, seed }) || undefined;
  const make = onDevice
    ? onBackend
    : asTensors(worker ? onThread(worker, sampling) : onThisThread(sampling));
  const known = new Set<number>();
  const running = new Set<AbortController>();
  let order: { readonly epoch: number; readonly indices: Uint32Array } | undefined;
  let waited = 0;
  let closed = false;

  const orderOf = (epoch: number) => {
    if (order?.epoch !== epoch) order = { epoch, indices: epochOrder({ seed, epoch, length }) };
    return order.indices;
  };
  orderOf(0); // a seed that is none is told of here

  const fill = async (step: number, signal: AbortSignal): Promise<Made> => {
    const epoch = Math.floor(step / perEpoch);
    const first = (step % perEpoch) * batchSize;
    const indices = orderOf(epoch).slice(first, first + batchSize);
    const read = new Map<number, Pixels>();
    await Promise.all(
      Array.from(indices, async (index) => {
        if (!known.has(index)) read.set(index, await dataset.read(index, { signal }));
      }),
    );
    // From here on nothing is waited for: a picture is known only once it is on its way.
    const pictures = Array.from(indices, (index, slot): BatchPicture => {
      const picture = read.get(index);
      if (sampling) known.add(index);
      return {
        ...{ index, slot, keep: true },
        ...(picture && { picture }),
        ...(picture &&
          !sampling && { views: views.sample(picture, viewKey({ seed, epoch, index })) }),
      };
    });
    signal.throwIfAborted();
    return make({ pictures, epoch, groups: views.groups });
  };

  async function* run(from: number, to: number, outer?: AbortSignal): AsyncGenerator<Crops> {
    if (closed) throw new DataError("loader", "is closed");
    const halt = new AbortController();
    const signal = outer ? AbortSignal.any([halt.signal, outer]) : halt.signal;
    running.add(halt);
    const onWait = (seconds: number) => {
      waited += seconds;
    };
    try {
      const range = { from, to, ahead: prefetch, signal, turn, onWait };
      for await (const made of prefetched(range, (step) => fill(step, signal))) yield made();
    } finally {
      halt.abort();
      running.delete(halt);
    }
  }

  return {
    perEpoch,
    batchSize,
    broken: dataset.broken ?? [],
    get waited() {
      return waited;
    },
    steps: ({ from = 0, to = Number.POSITIVE_INFINITY, signal }: StepsOptions = {}) => {
      assertCount("from", from, 0);
      if (to !== Number.POSITIVE_INFINITY) assertCount("to", to, 0);
      return run(from, to, signal);
    },
    close: async () => {
      closed = true;
      for (const halt of running) halt.abort(new DataError("loader", "is closed"));
      worker?.terminate();
    },
  };
}

/** A batch that is ready to become tensors, when its turn has come. */
type Made = () => Crops;

/** Makes the bytes of a batch's crops, a block for each group. */
type Make = (batch: Batch) => Promise<readonly Uint8Array[]>;

/** The pictures are uploaded, and their crops made of them, as the consumer asks. */
async function onBackend({ pictures, groups }: Batch): Promise<Made> {
  return () => viewTensors(pictures as readonly Seen[], groups);
}

function asTensors(make: Make): (batch: Batch) => Promise<Made> {
  return async (batch) => {
    const blocks = await make(batch);
    const tensorOf = ({ size, views }: CropGroup, group: number) =>
      imageTensor(blocks[group] as Uint8Array, [views * batch.pictures.length, size, size]);
    return () => batch.groups.map(tensorOf);
  };
}

function onThisThread(sampling: Sampling | undefined): Make {
  const make = batchMaker(sampling);
  return async (batch) => {
    const blocks = cropBlocks(batch.groups, batch.pictures.length);
    for (const _ of make(batch, blocks)) await turn();
    return blocks;
  };
}

interface Waiting {
  resolve(blocks: readonly Uint8Array[]): void;
  reject(error: Error): void;
}

function onThread(worker: Worker, sampling: Sampling | undefined): Make {
  const waiting = new Map<number, Waiting>();
  let last = 0;
  const send = (message: ThreadMessage) => worker.postMessage(message);
  worker.addEventListener("message", ({ data }: MessageEvent<ThreadAnswer>) => {
    const { id, blocks, error = "a thread that makes crops gave none" } = data;
    if (blocks) waiting.get(id)?.resolve(blocks);
    else waiting.get(id)?.reject(new Error(error));
    waiting.delete(id);
  });
  worker.addEventListener("error", ({ message }) => {
    const error = new Error(`a thread that makes crops has failed: ${message}`);
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  });
  send({ sampling });
  return (batch) =>
    new Promise((resolve, reject) => {
      const id = ++last;
      waiting.set(id, { resolve, reject });
      send({ id, batch });
    });
}
