import { readFileSync, writeFileSync } from "node:fs";
import type { LabelMap } from "@dino/evaluation";
import { decodeLabelPng, encodeLabelPng } from "@dino/visualization";
import { RunError } from "../errors.ts";

/** The labels in a PNG file with a palette. A `RunError` says why it has none. */
export function readLabels(path: string): LabelMap {
  try {
    return decodeLabelPng(readFileSync(path), path);
  } catch (cause) {
    if (cause instanceof RangeError) throw new RunError(cause.message, { cause });
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RunError(`${path}: expected a mask that can be read, got ${reason}`, { cause });
  }
}

/** Writes labels as a PNG file with DAVIS's palette. */
export function writeLabels(path: string, labels: LabelMap): void {
  writeFileSync(path, encodeLabelPng(labels));
}
