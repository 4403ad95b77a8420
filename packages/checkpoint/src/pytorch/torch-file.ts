import type { ByteSource } from "../byte-source.ts";

/** A file of `torch.save`, of either kind, once its pickle is read. */
export interface TorchFile {
  /** Data, among which tensors stand as `TorchTensor`. */
  readonly root: unknown;
  /** The first byte of a storage in the source. */
  locate(storage: string): Promise<number>;
}

/** Reads what every file has before its tensors' elements. */
export type OpenTorchFile = (source: ByteSource) => Promise<TorchFile>;

/** The longest pickle that is read, in bytes. Those of checkpoints have a few hundred a tensor. */
export const longestPickle: number = 2 ** 26;
