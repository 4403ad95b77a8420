export { fold, type Key, key } from "./key.ts";
export { philox4x32 } from "./philox.ts";
export { type Random, random, type TruncatedNormalOptions } from "./random.ts";
