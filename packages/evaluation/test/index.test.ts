import * as api from "@dino/evaluation";
import { expect, test } from "vitest";

test("exports what it promises", () => {
  expect(Object.keys(api).sort()).toEqual([
    "attentionJaccard",
    "averagePrecision",
    "boundaryMeasure",
    "classFigures",
    "collectFeatures",
    "confusion",
    "copyDescriptor",
    "copyDetection",
    "extractFeatures",
    "featureBatches",
    "featureSource",
    "joinFeatures",
    "keepFeatures",
    "knn",
    "knnLeaveOneOut",
    "labelMap",
    "learnWhitening",
    "meanSegmentationScores",
    "microAveragePrecision",
    "multiScale",
    "patchFeatures",
    "patchLabels",
    "propagateLabels",
    "regionSimilarity",
    "resizeLabels",
    "retrieval",
    "retrievalScores",
    "revisitedProtocols",
    "segmentVideo",
    "segmentationScores",
    "viewRetrieval",
    "whiten",
  ]);
});
