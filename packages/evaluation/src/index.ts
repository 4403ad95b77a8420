export {
  type AttentionJaccard,
  type AttentionJaccardOptions,
  attentionJaccard,
  type PatchMask,
} from "./attention/attention-jaccard.ts";
export {
  type ClassFigures,
  type Confusion,
  classFigures,
  confusion,
} from "./confusion.ts";
export {
  type CopyDescriptorOptions,
  copyDescriptor,
  type TokenExtractor,
} from "./copy-detection/copy-descriptor.ts";
export {
  type CopyDetectionOptions,
  type CopyDetectionScores,
  copyDetection,
} from "./copy-detection/copy-detection.ts";
export { type Candidate, microAveragePrecision } from "./copy-detection/micro-average-precision.ts";
export {
  type LearnWhiteningOptions,
  learnWhitening,
  type Whitening,
  whiten,
} from "./copy-detection/whitening.ts";
export { type ExtractFeaturesOptions, extractFeatures } from "./extract-features.ts";
export { type FeatureExtractor, featureBatches, type LabeledImages } from "./feature-batches.ts";
export { collectFeatures, type FeatureSource, featureSource } from "./feature-source.ts";
export type { Features } from "./features.ts";
export { joinFeatures } from "./join-features.ts";
export { type FeatureStore, type KeepFeaturesOptions, keepFeatures } from "./keep-features.ts";
export { type KnnOptions, type KnnResult, knn, knnLeaveOneOut } from "./knn.ts";
export {
  evaluateLinear,
  type LinearFigures,
} from "./linear/evaluate-linear.ts";
export {
  type FeatureStream,
  featureStream,
  type LabeledPictures,
  type StreamOptions,
} from "./linear/feature-stream.ts";
export { type HeldOut, type HoldOutOptions, holdOut } from "./linear/held-out.ts";
export type { LinearClassifier } from "./linear/linear-classifier.ts";
export {
  type LabeledFeatures,
  type LinearProbe,
  type LinearProbeOptions,
  type LinearProbeState,
  linearProbe,
} from "./linear/linear-probe.ts";
export { type ProbeFeaturesOptions, probeFeatures } from "./linear/probe-features.ts";
export { type ShuffledFeaturesOptions, shuffledFeatures } from "./linear/shuffled-features.ts";
export {
  probeRandom,
  type Sweep,
  type SweepOptions,
  type SweptRate,
  sweepLearningRates,
} from "./linear/sweep-learning-rates.ts";
export {
  epochLearningRate,
  type LinearEpoch,
  type LinearSnapshot,
  type TrainLinearOptions,
  trainLinear,
} from "./linear/train-linear.ts";
export type { AbortSignalLike, LongCall, Progress } from "./long-call.ts";
export { averagePrecision } from "./retrieval/average-precision.ts";
export { type MultiScaleOptions, multiScale } from "./retrieval/multi-scale.ts";
export type { QueryScores, QueryTruth } from "./retrieval/query-scores.ts";
export { type Protocols, type RetrievalOptions, retrieval } from "./retrieval/retrieval.ts";
export {
  type RetrievalScores,
  type RetrievalScoresOptions,
  retrievalScores,
} from "./retrieval/retrieval-scores.ts";
export {
  type RevisitedProtocol,
  type RevisitedTruth,
  revisitedProtocols,
} from "./retrieval/revisited.ts";
export { type BoundaryMeasureOptions, boundaryMeasure } from "./video/boundary-measure.ts";
export { type LabelMap, resizeLabels } from "./video/label-map.ts";
export { patchFeatures } from "./video/patch-features.ts";
export {
  type LabeledPatches,
  type PropagateLabelsOptions,
  propagateLabels,
} from "./video/propagate-labels.ts";
export { type Mask, regionSimilarity } from "./video/region-similarity.ts";
export { type SegmentVideoOptions, segmentVideo } from "./video/segment-video.ts";
export {
  type MeasureScores,
  meanSegmentationScores,
  type SegmentationScores,
  segmentationScores,
} from "./video/segmentation-scores.ts";
export { labelMap, type PatchGrid, patchLabels, type SoftLabels } from "./video/soft-labels.ts";
export { viewRetrieval } from "./view-retrieval.ts";
