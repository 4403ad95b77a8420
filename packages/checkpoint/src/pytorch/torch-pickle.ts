import { itemSize } from "../dtype.ts";
import { numpyGlobals } from "../pickle/numpy-globals.ts";
import type { PickleCursor } from "../pickle/pickle-cursor.ts";
import { kindOf, PickleValueError } from "../pickle/pickle-machine.ts";
import { readPickleAt } from "../pickle/read-pickle.ts";
import { storageClassDtype, torchGlobals } from "./torch-globals.ts";
import { type TorchStorage, torchStorage } from "./torch-storage.ts";
import { storageBytes } from "./torch-tensor.ts";

/** What a file's pickle holds, and how many bytes each of its storages has. */
export interface TorchPickle {
  /** Data, among which tensors stand as `TorchTensor`. */
  readonly root: unknown;
  readonly storages: ReadonlyMap<string, number>;
}

const globals = new Map([...torchGlobals, ...numpyGlobals]);

/** Reads the pickle of a file of `torch.save`, of either kind. */
export function readTorchPickle(cursor: PickleCursor): TorchPickle {
  const storages = new Map<string, number>();

  /** ("storage", class, key, device, elements), and for a part of another storage its place there. */
  function persistent(id: unknown): TorchStorage {
    if (!Array.isArray(id) || id[0] !== "storage") {
      throw new PickleValueError(
        `expected a storage, got ${Array.isArray(id) ? kindOf(id[0]) : kindOf(id)}`,
      );
    }
    const [, storageClass, key, , elements, part = null] = id as unknown[];
    const dtype = storageClassDtype(storageClass);
    if (typeof key !== "string") throw new PickleValueError(`expected a key, got ${kindOf(key)}`);
    const whole: TorchStorage = { key, start: 0, dtype, length: asLength(elements) };
    const bytes = storageBytes(whole);
    const known = storages.get(key) ?? bytes;
    if (known !== bytes) {
      throw new PickleValueError(`expected ${known} bytes in storage ${key}, got ${bytes}`);
    }
    storages.set(key, bytes);
    return torchStorage(part === null ? whole : partOf(whole, part));
  }

  const root = readPickleAt(cursor, { globals, persistent });
  return { root, storages };
}

/** A part of a storage, as files before 1.6 may have it: its key, first element and length. */
function partOf(whole: TorchStorage, part: unknown): TorchStorage {
  if (!Array.isArray(part) || part.length !== 3) {
    throw new PickleValueError(`expected a part of a storage, got ${kindOf(part)}`);
  }
  const [from, length] = [asLength(part[1]), asLength(part[2])];
  if (from + length > whole.length) {
    throw new PickleValueError(
      `expected a part of the ${whole.length} elements of storage ${whole.key}, got ${length} at ${from}`,
    );
  }
  return { ...whole, start: from * (whole.dtype ? itemSize(whole.dtype) : 1), length };
}

function asLength(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 49) {
    return value as number;
  }
  throw new PickleValueError(`expected a number of elements, got ${kindOf(value)}`);
}
