import { CheckpointError, quote } from "./checkpoint-error.ts";
import { type Dtype, dtypes, isDtype, itemSize } from "./dtype.ts";
import { assertStrictObject } from "./strict-json.ts";

/** A tensor's place in a file. */
export interface Placement {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** First byte, counted from the end of the header. */
  readonly start: number;
  readonly bytes: number;
}

export interface Header {
  /** In the order of the file's bytes. */
  readonly tensors: ReadonlyMap<string, Placement>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** No header may be longer, in bytes: the limit of the format's own implementation. */
export const longestHeader = 100_000_000;

/**
 * What a safetensors header says, once everything in it has been checked. `dataBytes` is how many
 * bytes follow it: the tensors must cover them without overlaps and holes.
 */
export function parseHeader(file: string, bytes: Uint8Array, dataBytes: number): Header {
  const header = parseJson(file, bytes);
  const metadata: Record<string, string> = Object.create(null);
  const placements: [string, Placement][] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") Object.assign(metadata, parseMetadata(file, value));
    else
      placements.push([name, parsePlacement(`${file}: tensor ${quote(name)}`, value, dataBytes)]);
  }
  placements.sort(([, a], [, b]) => a.start - b.start || a.bytes - b.bytes);
  assertCovered(file, placements, dataBytes);
  return { tensors: new Map(placements), metadata };
}

function parseJson(file: string, bytes: Uint8Array): object {
  if (bytes[0] !== 0x7b) {
    throw new CheckpointError(
      `${file}: expected a header that starts with "{", got byte ${bytes[0] ?? "none"}`,
    );
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new CheckpointError(`${file}: expected a header in UTF-8, got other bytes`, { cause });
  }
  // Before JSON.parse, which would build whatever nesting it is given.
  assertStrictObject(file, text, 3);
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CheckpointError(`${file}: expected a header in JSON, got: ${reason}`, { cause });
  }
}

function parseMetadata(file: string, value: unknown): Record<string, string> {
  if (!isRecord(value)) {
    throw new CheckpointError(`${file}: __metadata__: expected an object, got ${show(value)}`);
  }
  const metadata: Record<string, string> = Object.create(null);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") {
      throw new CheckpointError(
        `${file}: __metadata__ ${quote(key)}: expected a string, got ${show(text)}`,
      );
    }
    metadata[key] = text;
  }
  return metadata;
}

function parsePlacement(tensor: string, value: unknown, dataBytes: number): Placement {
  const fail = (field: string, expected: string, got: unknown) =>
    new CheckpointError(`${tensor}: ${field}: expected ${expected}, got ${show(got)}`);
  if (!isRecord(value)) throw fail("entry", "an object", value);

  const { dtype, shape, data_offsets: offsets } = value;
  if (!isDtype(dtype)) {
    const supported = unsupported.test(String(dtype)) ? "a supported dtype, " : "";
    throw fail("dtype", `${supported}one of ${dtypes.join(", ")}`, dtype);
  }
  if (!isSizes(shape)) throw fail("shape", "non-negative integers", shape);
  const bytes = shape.reduce((product, size) => product * size, itemSize(dtype));
  if (!Number.isSafeInteger(bytes)) throw fail("shape", "fewer than 2 ** 53 bytes", shape);
  if (!isSizes(offsets) || offsets.length !== 2)
    throw fail("data_offsets", "[start, end]", offsets);
  const [start, end] = offsets as [number, number];
  if (start > end || end > dataBytes) {
    throw fail("data_offsets", `start <= end <= ${dataBytes}, the bytes of data`, offsets);
  }
  if (end - start !== bytes) {
    throw fail("data_offsets", `${bytes} bytes for ${dtype} [${preview(shape)}]`, offsets);
  }
  return { dtype, shape, start, bytes };
}

/** Dtypes that the format has and this reader has not: floats of 8 bits and fewer, complex numbers. */
const unsupported = /^(F[468]_|C64)/;

/** Every byte belongs to exactly one tensor, or something could be hidden in the file. */
function assertCovered(file: string, placements: [string, Placement][], dataBytes: number): void {
  let covered = 0;
  for (const [name, { start, bytes }] of placements) {
    if (start !== covered) {
      const fault = start < covered ? "overlaps what is before it" : "leaves a hole before it";
      throw new CheckpointError(
        `${file}: tensor ${quote(name)}: expected to start at byte ${covered}, got ${start}, which ${fault}`,
      );
    }
    covered += bytes;
  }
  if (covered !== dataBytes) {
    throw new CheckpointError(
      `${file}: expected ${covered} bytes of data for its ${placements.length} tensors, got ${dataBytes}`,
    );
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/** A value from the header, cut to what a message can carry. */
function show(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (Array.isArray(value)) return `[${preview(value)}]`;
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

function preview(values: readonly unknown[]): string {
  const shown = values.slice(0, 8).map((value) => (Array.isArray(value) ? "[...]" : show(value)));
  return values.length > 8 ? `${shown.join(", ")}, ...` : shown.join(", ");
}
