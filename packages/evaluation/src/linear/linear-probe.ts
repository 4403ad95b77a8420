import { assertShape } from "@dino/ops";
import type { Random } from "@dino/random";
import * as tf from "@tensorflow/tfjs-core";
import type { LinearClassifier } from "./linear-classifier.ts";

export interface LinearProbeOptions {
  /** Values of a feature. */
  readonly dim: number;
  readonly classes: number;
  /** How many classifiers are trained beside each other. Default 1. */
  readonly classifiers?: number;
  /** Default 0.9. */
  readonly momentum?: number;
}

/** All that training changes, of all classifiers: `dim` rows, a column for each class of each. */
export type LinearProbeState = {
  /** `[dim, classifiers * classes]`: wasm multiplies plain matrices alone at full speed. */
  readonly weight: tf.Tensor2D;
  /** `[classifiers * classes]` */
  readonly bias: tf.Tensor1D;
  /** What SGD remembers of each, in the same shapes. */
  readonly weightMomentum: tf.Tensor2D;
  readonly biasMomentum: tf.Tensor1D;
};

/** A step's input. */
export interface LabeledFeatures {
  /** `[batch, dim]` */
  readonly features: tf.Tensor2D;
  /** The class of each row. */
  readonly labels: Int32Array;
}

/**
 * Linear classifiers on features that do not change, trained by SGD with momentum on the
 * cross-entropy: the paper's linear evaluation (eval_linear.py of facebookresearch/dino). Several
 * that differ in their learning rate alone see the same features in the same products.
 */
export interface LinearProbe extends Required<LinearProbeOptions> {
  /** Weights from a normal distribution of deviation 0.01, the same ones for each classifier. */
  init(random: Random): LinearProbeState;
  /** One step, with a learning rate for each classifier. Consumes state; the losses are `[classifiers]`. */
  step(
    state: LinearProbeState,
    batch: LabeledFeatures,
    learningRates: readonly number[],
  ): { readonly state: LinearProbeState; readonly losses: tf.Tensor1D };
  /** `[batch, dim]` to `[batch, classifiers, classes]`. */
  logits(state: LinearProbeState, features: tf.Tensor2D): tf.Tensor3D;
  /** The mean cross-entropy of each classifier over a batch, `[classifiers]`. */
  losses(logits: tf.Tensor3D, labels: Int32Array): tf.Tensor1D;
  /** One of the classifiers. */
  classifier(state: LinearProbeState, index?: number): Promise<LinearClassifier>;
  /** The state in which each classifier is this one, and nothing is remembered. */
  from(classifier: LinearClassifier): LinearProbeState;
}

export function linearProbe({
  dim,
  classes,
  classifiers = 1,
  momentum = 0.9,
}: LinearProbeOptions): LinearProbe {
  for (const [name, value] of Object.entries({ dim, classes, classifiers })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new RangeError(`${name}: expected a whole number from 1, got ${value}`);
  }
  const columns = classifiers * classes;

  const begin = ({ weight, bias }: Pick<LinearClassifier, "weight" | "bias">): LinearProbeState =>
    tf.tidy(() => {
      const one = tf.transpose(tf.tensor2d(weight, [classes, dim]));
      return {
        weight: tf.tile(one, [1, classifiers]),
        bias: tf.tile(tf.tensor1d(bias), [classifiers]),
        weightMomentum: tf.zeros([dim, columns]),
        biasMomentum: tf.zeros([columns]),
      };
    });

  const logits: LinearProbe["logits"] = ({ weight, bias }, features) =>
    tf.tidy(() => {
      assertShape("features", features, [null, dim]);
      const flat = tf.add(tf.matMul(features, weight), bias);
      return tf.reshape(flat, [features.shape[0], classifiers, classes]);
    });

  /** What is true, `[batch, 1, classes]`. */
  const oneHot = (labels: Int32Array): tf.Tensor3D => {
    const wrong = labels.find((label) => label < 0 || label >= classes);
    if (wrong !== undefined) {
      throw new RangeError(`labels: expected classes from 0 to ${classes - 1}, got ${wrong}`);
    }
    const truth = new Float32Array(labels.length * classes);
    labels.forEach((label, row) => {
      truth[row * classes + label] = 1;
    });
    return tf.tensor3d(truth, [labels.length, 1, classes]);
  };

  const crossEntropy = (logProbs: tf.Tensor3D, truth: tf.Tensor3D): tf.Tensor1D =>
    tf.neg(tf.mean(tf.sum(tf.mul(logProbs, truth), 2), 0));

  return {
    ...{ dim, classes, classifiers, momentum },
    logits,

    init: (random) =>
      begin({
        weight: Float32Array.from({ length: classes * dim }, () => random.normal(0, 0.01)),
        bias: new Float32Array(classes),
      }),

    from: (classifier) => {
      if (classifier.classes !== classes || classifier.dim !== dim) {
        throw new RangeError(
          `classifier: expected ${classes} classes of ${dim} values, ` +
            `got ${classifier.classes} of ${classifier.dim}`,
        );
      }
      return begin(classifier);
    },

    losses: (logits, labels) => tf.tidy(() => crossEntropy(tf.logSoftmax(logits), oneHot(labels))),

    step: (state, { features, labels }, learningRates) => {
      const [batch] = features.shape;
      if (labels.length !== batch) {
        throw new RangeError(`labels: expected ${batch}, one for each row, got ${labels.length}`);
      }
      if (learningRates.length !== classifiers) {
        throw new RangeError(
          `learningRates: expected ${classifiers}, one for each classifier, got ${learningRates.length}`,
        );
      }
      const next = tf.tidy(() => {
        const truth = oneHot(labels);
        const logProbs = tf.logSoftmax(logits(state, features));
        const losses = crossEntropy(logProbs, truth);
        const slope = tf.div(tf.sub(tf.exp(logProbs), truth), batch); // of the logits
        const flat = tf.reshape(slope, [batch, columns]);
        const weightMomentum = tf.add<tf.Tensor2D>(
          tf.mul(state.weightMomentum, momentum),
          tf.matMul(tf.transpose(features), flat), // transposed first, for wasm's sake
        );
        const biasMomentum = tf.add<tf.Tensor1D>(
          tf.mul(state.biasMomentum, momentum),
          tf.sum(flat, 0),
        );
        const rates = tf.tensor1d(learningRates.flatMap((rate) => Array(classes).fill(rate)));
        return {
          losses,
          weight: tf.sub<tf.Tensor2D>(state.weight, tf.mul(weightMomentum, rates)),
          bias: tf.sub<tf.Tensor1D>(state.bias, tf.mul(biasMomentum, rates)),
          weightMomentum,
          biasMomentum,
        };
      });
      tf.dispose(state);
      const { losses, ...updated } = next;
      return { state: updated, losses };
    },

    classifier: async ({ weight, bias }, index = 0) => {
      const some = tf.tidy(() => {
        const columnsOf = tf.slice(weight, [0, index * classes], [dim, classes]);
        return [tf.transpose(columnsOf), tf.slice(bias, index * classes, classes)] as const;
      });
      try {
        const [ofWeight, ofBias] = await Promise.all(some.map((x) => x.data<"float32">()));
        return {
          ...{ classes, dim },
          weight: Float32Array.from(ofWeight as Float32Array),
          bias: Float32Array.from(ofBias as Float32Array),
        };
      } finally {
        tf.dispose(some);
      }
    },
  };
}
