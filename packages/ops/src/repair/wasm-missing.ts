import * as tf from "@tensorflow/tfjs-core";
import { heapViews, type WasmHeap } from "../wasm/heap.ts";
import { addKernel } from "./replace-kernel.ts";

/** `UnsortedSegmentSum`: what the gradient of `gather` is made of. */
export function unsortedSegmentSum(backendName: string): void {
  addKernel("UnsortedSegmentSum", backendName, (call) => {
    const { x, segmentIds } = call.inputs as Record<"x" | "segmentIds", tf.TensorInfo>;
    const { numSegments } = call.attrs as { readonly numSegments: number };
    const inner = (x as tf.TensorInfo).shape.slice((segmentIds as tf.TensorInfo).shape.length);
    const backend = call.backend as WasmHeap;
    const out = backend.makeOutput([numSegments, ...inner], "float32");
    const [from, to] = heapViews(backend, [x as tf.TensorInfo, out]) as [
      Float32Array,
      Float32Array,
    ];
    const run = tf.util.sizeFromShape(inner);
    to.fill(0);
    backend.typedArrayFromHeap(segmentIds as tf.TensorInfo).forEach((segment, row) => {
      if (segment < 0 || segment >= numSegments) return;
      for (let i = 0; i < run; i++) {
        const place = segment * run + i;
        to[place] = (to[place] as number) + (from[row * run + i] as number);
      }
    });
    return out;
  });
}

/** `Einsum`, as the other backends have it: products of everything, summed one letter at a time. */
export function einsum(backendName: string): void {
  addKernel("Einsum", backendName, (call) => {
    const tensors = Object.values(call.inputs) as tf.Tensor[];
    const { equation } = call.attrs as { readonly equation: string };
    const { allDims, summedDims, idDims } = tf.backend_util.decodeEinsumEquation(
      equation,
      tensors.length,
    );
    tf.backend_util.checkEinsumDimSizes(allDims.length, idDims, tensors);
    const { path, steps } = tf.backend_util.getEinsumComputePath(summedDims, idDims);
    return tf.tidy(() => {
      let out: tf.Tensor | undefined;
      let letters = allDims.length;
      steps.forEach((terms, step) => {
        for (const term of terms) {
          const { permutationIndices, expandDims } = tf.backend_util.getEinsumPermutation(
            letters,
            idDims[term] as number[],
          );
          const turned = tf.transpose(tensors[term] as tf.Tensor, permutationIndices);
          const shape = turned.shape.slice();
          for (const axis of expandDims) shape.splice(axis, 0, 1);
          const factor = tf.reshape(turned, shape);
          out = out ? tf.mul(factor, out) : factor;
        }
        if (step === steps.length - 1) return;
        const letter = path[step] as number;
        if (letter >= 0) out = tf.sum(out as tf.Tensor, letter - (allDims.length - letters));
        letters--;
      });
      return out as tf.Tensor;
    });
  });
}
