import { range, softmax } from "./attention.ts";
import { at, type Values } from "./linear.ts";

/** The mean cross-entropy over all pairs of different views, pair by pair as the reference has it. */
export function dinoCrossEntropy(
  student: Values,
  targets: ArrayLike<number>,
  [crops, globals, batch, prototypes]: readonly [number, number, number, number],
  temperature: number,
): Values {
  let total = 0;
  let pairs = 0;
  for (let teacherView = 0; teacherView < globals; teacherView++) {
    for (let view = 0; view < crops; view++) {
      if (view === teacherView) continue;
      pairs++;
      for (let image = 0; image < batch; image++) {
        const logits = range(prototypes).map(
          (k) => at(student, (view * batch + image) * prototypes + k) / temperature,
        );
        softmax(logits).forEach((probability, k) => {
          const target = at(targets, (teacherView * batch + image) * prototypes + k);
          total -= (target * Math.log(probability)) / batch;
        });
      }
    }
  }
  return Float64Array.of(total / pairs);
}
