import { type Coefficients, coefficients, fractionBits } from "./coefficients.ts";
import type { Filter } from "./filter.ts";

/** Coefficients as the kernels read them: an axis' entries, and behind them its weights. */
export interface PackedCoefficients {
  readonly bytes: Uint8Array;
  /** Where in `bytes` the weights begin. */
  readonly weights: number;
}

/** Bytes of an axis' entry for one output. */
const entryBytes = 12;

/** Lower bits of a weight, the rest of which are its upper ones. */
const lowerBits = 12;

const known = new Map<string, PackedCoefficients>();
let knownBytes = 0;

/** Crops of one small size meet the same lengths again and again; making weights is not cheap. */
const knownBytesAtMost = 2 ** 23;

/** The coefficients that take an axis from `inputs` to `outputs` pixels; between equal lengths, none change. */
export function packedCoefficients(
  filter: Filter,
  inputs: number,
  outputs: number,
  extent: number,
): PackedCoefficients {
  const key = `${filter} ${inputs} ${outputs} ${extent}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const packed = pack(
    inputs === outputs && inputs === extent
      ? unchanged(outputs)
      : coefficients(filter, inputs, outputs, extent),
  );
  if (knownBytes + packed.bytes.length > knownBytesAtMost) {
    known.clear();
    knownBytes = 0;
  }
  known.set(key, packed);
  knownBytes += packed.bytes.length;
  return packed;
}

function unchanged(length: number): Coefficients {
  const first = Int32Array.from({ length }, (_, i) => i);
  const weights = Int32Array.from({ length: 4 * length }, (_, i) =>
    i % 4 === 0 ? 1 << fractionBits : 0,
  );
  return { taps: 4, first, count: new Int32Array(length).fill(1), weights };
}

function pack({ taps, first, count, weights }: Coefficients): PackedCoefficients {
  const outputs = first.length;
  const bytes = new Uint8Array(entryBytes * outputs + 4 * taps * outputs);
  const entries = new Uint32Array(bytes.buffer, 0, 3 * outputs);
  const halves = new Int16Array(bytes.buffer, entryBytes * outputs);
  for (let output = 0; output < outputs; output++) {
    entries[3 * output] = first[output] as number;
    entries[3 * output + 1] = 4 * taps * output;
    entries[3 * output + 2] = 16 * Math.ceil((count[output] as number) / 4);
  }
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i] as number;
    const at = 2 * i - (i % 2); // two uppers, then their two lowers
    halves[at] = weight >> lowerBits;
    halves[at + 2] = weight & ((1 << lowerBits) - 1);
  }
  return { bytes, weights: entryBytes * outputs };
}
