import "../../augmentations/test/view-tensors.test.ts";
