import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isNumpyArray, numpyGlobals, pythonGlobals, readPickle } from "@dino/checkpoint";
import { type RevisitedTruth, revisitedProtocols } from "@dino/evaluation";
import { RunError } from "../errors.ts";
import { listingOf } from "../features/listing-of.ts";
import type { QueryBox, RetrievalSet } from "./retrieval-set.ts";

export type RevisitedName = "roxford5k" | "rparis6k";

/** What revisited Oxford's and Paris' ground truth may name. */
const globals = new Map([...pythonGlobals, ...numpyGlobals]);

/**
 * Revisited Oxford or Paris below a folder, in the layout of its authors: `NAME/gnd_NAME.pkl` and
 * `NAME/jpg/*.jpg`. A `RunError` says what is missing, and where it should be.
 */
export function revisitedSet(root: string, name: RevisitedName): RetrievalSet {
  const folder = join(root, name);
  const file = join(folder, `gnd_${name}.pkl`);
  const pictures = join(folder, "jpg");
  if (!existsSync(file)) {
    throw new RunError(
      `${file}: expected the ground truth of ${name}, got nothing (the pictures are expected in ${pictures})`,
    );
  }
  if (!existsSync(pictures)) {
    throw new RunError(`${pictures}: expected the pictures of ${name}, got nothing`);
  }
  const truth = groundTruth(file);
  for (const picture of [...truth.queries, ...truth.rows]) {
    if (existsSync(join(pictures, picture))) continue;
    throw new RunError(`${join(pictures, picture)}: expected a picture of ${name}, got nothing`);
  }
  return {
    queries: listingOf(pictures, truth.queries),
    rows: listingOf(pictures, truth.rows),
    protocols: revisitedProtocols(truth.truth),
    ...(truth.boxes && { boxes: truth.boxes }),
  };
}

interface GroundTruth {
  readonly queries: readonly string[];
  readonly rows: readonly string[];
  readonly truth: readonly RevisitedTruth[];
  readonly boxes: readonly QueryBox[] | undefined;
}

function groundTruth(file: string): GroundTruth {
  const content = readPickle(readFileSync(file), { name: file, globals });
  const { imlist, qimlist, gnd } = record(content, file, "a dict with imlist, qimlist and gnd");
  const rows = names(imlist, `${file}: imlist`);
  const queries = names(qimlist, `${file}: qimlist`);
  if (!Array.isArray(gnd) || gnd.length !== queries.length) {
    throw new RunError(
      `${file}: expected a list of ${queries.length} dicts as gnd, got ${kind(gnd)}`,
    );
  }
  const truth: RevisitedTruth[] = [];
  const boxes: QueryBox[] = [];
  gnd.forEach((entry: unknown, i) => {
    const where = `${file}: gnd[${i}]`;
    const { easy, hard, junk, bbx } = record(entry, where, "a dict with easy, hard and junk");
    const list = (value: unknown, name: string) => places(value, `${where}.${name}`, rows.length);
    truth.push({ easy: list(easy, "easy"), hard: list(hard, "hard"), junk: list(junk, "junk") });
    const [left, top, right, bottom] = numbers(bbx) ?? [];
    if (left === undefined || top === undefined || right === undefined || bottom === undefined) {
      return;
    }
    boxes.push({ left, top, right, bottom });
  });
  return { queries, rows, truth, boxes: boxes.length === gnd.length ? boxes : undefined };
}

function record(value: unknown, where: string, expected: string): Record<string, unknown> {
  const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
  if (isRecord && !isNumpyArray(value)) return value as Record<string, unknown>;
  throw new RunError(`${where}: expected ${expected}, got ${kind(value)}`);
}

/** Names of pictures, which are without their ending. */
function names(value: unknown, where: string): readonly string[] {
  const isList = Array.isArray(value) && value.length > 0;
  if (isList && value.every((name) => typeof name === "string" && !/[\\/]/.test(name))) {
    return value.map((name: string) => `${name}.jpg`);
  }
  throw new RunError(`${where}: expected a list of pictures' names, got ${kind(value)}`);
}

function places(value: unknown, where: string, length: number): readonly number[] {
  const list = numbers(value);
  if (list === undefined) {
    throw new RunError(`${where}: expected a list of numbers, got ${kind(value)}`);
  }
  const outside = list.find((place) => !(Number.isInteger(place) && place >= 0 && place < length));
  if (outside === undefined) return list;
  throw new RunError(`${where}: expected numbers from 0 to ${length - 1}, got ${outside}`);
}

/** The numbers in a list or in an array of numpy's. */
function numbers(value: unknown): readonly number[] | undefined {
  if (isNumpyArray(value)) return Array.from(value.data as ArrayLike<number | bigint>, Number);
  if (!Array.isArray(value)) return undefined;
  const list = value.map((item) => (typeof item === "bigint" ? Number(item) : item));
  return list.every((item) => typeof item === "number") ? list : undefined;
}

function kind(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return value === undefined ? "nothing" : typeof value;
}
