export {
  type ExtractFeaturesOptions,
  extractFeatures,
  type LabeledImages,
} from "./extract-features.ts";
export type { Features } from "./features.ts";
export { type KnnOptions, type KnnResult, knn, knnLeaveOneOut } from "./knn.ts";
export type { AbortSignalLike, LongCall, Progress } from "./long-call.ts";
export { viewRetrieval } from "./view-retrieval.ts";
