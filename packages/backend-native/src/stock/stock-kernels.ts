import type { NativeKernel } from "../operations/native-kernel.ts";
import { convolutionKernels } from "./convolutions.ts";
import { elementKernels } from "./elements.ts";
import { moveKernels } from "./moves.ts";
import { pictureKernels } from "./pictures.ts";
import { productKernels } from "./products.ts";
import { reductionKernels } from "./reductions.ts";

/**
 * tfjs's own kernels in Rust, for float32. Other types, and what is named in each of them, are
 * left to tfjs's JavaScript.
 */
export const stockKernels: readonly NativeKernel[] = [
  ...productKernels,
  ...elementKernels,
  ...reductionKernels,
  ...moveKernels,
  ...convolutionKernels,
  ...pictureKernels,
];
