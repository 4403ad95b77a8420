/** What every step has in common: the published recipe's, at its beginning. */
const recipe = {
  hidden: 2048,
  bottleneck: 256,
  clipNorm: 3,
  learningRate: 1e-4,
  weightDecay: 0.04,
  teacherMomentum: 0.996,
};

const imageNet = { patch: 16, globalSize: 224, localSize: 96, locals: 8, prototypes: 65536 };
const small = { patch: 8, globalSize: 64, localSize: 32, locals: 6, prototypes: 1024 };

/** The steps that can be timed: sizes of the network, the crops and the batch. */
export const presets = {
  "vit-s": { width: 384, heads: 6, depth: 12, ...imageNet, batch: 4, ...recipe },
  "vit-ti": { width: 192, heads: 3, depth: 12, ...imageNet, batch: 8, ...recipe },
  small: { width: 192, heads: 3, depth: 12, ...small, batch: 64, ...recipe },
  micro: {
    ...{ width: 24, heads: 3, depth: 2, patch: 8, globalSize: 32, localSize: 16, locals: 2 },
    ...{ prototypes: 32, batch: 2, ...recipe, hidden: 24, bottleneck: 12 },
  },
};
