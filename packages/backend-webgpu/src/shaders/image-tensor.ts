import type { Program } from "../program.ts";

/** Pictures from bytes, four to a word, by the 256 values of each of three channels. */
export const imageTensorProgram: Program = {
  name: "imageTensor",
  reads: ["bytes", "table"],
  words: ["bytes"],
  writes: ["images"],
  scalars: { size: "u32" },
  workgroupSize: [64, 1],
  body: `
  let at = group * 64u + thread;
  if (at >= u.size) { return; }
  let byte = (bytes[at / 4u] >> (8u * (at % 4u))) & 255u;
  images[at] = table[256u * (at % 3u) + byte];`,
};
