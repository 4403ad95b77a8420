/**
 * Registers tfjs-core's own gradients, which plain tfjs code needs under `tf.grad`: import it once,
 * for its effect. tfjs-core ships them as modules that Node cannot load, so the build replaces this
 * file's output by a bundle of them, in which tfjs-core itself stays outside.
 */
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
