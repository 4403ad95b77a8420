export { backends, onEveryBackend } from "./backends.ts";
export { corpus, corpusNames } from "./corpus.ts";
export { expectClose, expectDigest, expectNoLeak, expectValues } from "./expect.ts";
export { type Digest, decode, type GoldenArray, golden, goldensFolder } from "./golden.ts";
export { named, namedImages, namedParameters, namedValues } from "./named-values.ts";
export { startWasm } from "./wasm.ts";
