/** How products are cut up on an adapter. */
export interface Tuning {
  /** Threads of a group along rows and columns of a product. */
  readonly threads: readonly [rows: number, columns: number];
  /** How many steps of the inner dimension lie in the group's memory at once. */
  readonly depth: number;
  /** From how many groups on a product takes eight by eight outputs a thread, else four by four. */
  readonly manyGroups: number;
}

/** What runs well everywhere: tiles of 64 by 64 outputs, 8 KB of a group's memory. */
const safe: Tuning = { threads: [8, 8], depth: 16, manyGroups: 32 };

/** By a part of the adapter's vendor or architecture, in small letters. */
const tunings: readonly (readonly [adapter: RegExp, tuning: Tuning])[] = [
  // A processor plays the adapter: few groups are enough for its cores.
  [/swiftshader|llvmpipe|lavapipe/, { ...safe, manyGroups: 4 }],
];

/** The tuning for an adapter; one that is safe where the adapter is not known. */
export function tuningOf(info: GPUAdapterInfo | undefined): Tuning {
  const name = `${info?.vendor ?? ""} ${info?.architecture ?? ""} ${info?.description ?? ""}`;
  return tunings.find(([adapter]) => adapter.test(name.toLowerCase()))?.[1] ?? safe;
}
